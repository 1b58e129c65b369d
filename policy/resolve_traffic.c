/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* network.egress and network.ingress: how fast. Pure. */
#include "policy/keys.h"
#include "policy/resolve.h"

static struct spec_traffic *traffic_at(struct sandbox_spec *spec, const struct policy_key *key)
{
	return (struct spec_traffic *)(void *)((char *)spec + key->place);
}

static void refuse(struct policy_ctx *ctx, const struct policy_key *key,
		   const struct policy_node *node, const char *expected)
{
	ctx_report(ctx, node->place, "bad-value", "%s cannot be '%s'", key->path, node->text)
		->expected = expected;
}

POLICY_SETTER(apply_traffic_rate)
{
	uint64_t rate = keys_number(key, node);

	if (rate == SPEC_UNLIMITED)
		rate = 0;
	else if (rate < SPEC_RATE_LEAST || rate > SPEC_RATE_MOST)
		refuse(ctx, key, node, "It is 8kbit to 100gbit, or unlimited.");
	traffic_at(spec, key)->rate_bits = rate;
}

POLICY_SETTER(apply_traffic_burst)
{
	uint64_t burst = keys_number(key, node);

	if (burst < SPEC_BURST_LEAST || burst > SPEC_BURST_MOST)
		refuse(ctx, key, node, "It is 2KiB to 256MiB; a packet has to fit in it.");
	traffic_at(spec, key)->burst_bytes = burst;
}

static bool is_too_much(const struct spec_traffic *traffic)
{
	return traffic->rate_bits != 0 &&
	       traffic->burst_bytes > traffic->rate_bits / 8 * SPEC_BURST_SECONDS;
}

void resolve_traffic(struct policy_ctx *ctx, const struct policy_node *map,
		     const struct spec_network *network)
{
	static const char *const ways[] = {"egress", "ingress"};

	const struct spec_traffic *traffic[] = {&network->egress, &network->ingress};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const struct policy_node *way = doc_get(map, ways[i]);
		const struct policy_node *rate = doc_get(way, "rate");
		const struct policy_node *burst = doc_get(way, "burst");
		const struct policy_node *first = rate != NULL ? rate : burst;

		/* Without a network of its own yet it may join one while it runs. */
		if (first != NULL && network->kind != NETWORK_OF_ITS_OWN)
			ctx_report(ctx, first->place, "impossible",
				   "network.%s takes a network of the sandbox's own", ways[i])
				->expected =
				network->kind == NETWORK_OF_A_SANDBOX
					? "In container:NAME it counts what is said for NAME."
					: "The host's links are the host's.";
		else if (burst != NULL && rate == NULL)
			ctx_report(ctx, burst->place, "missing-key",
				   "network.%s has a burst, and no rate", ways[i]);
		else if (burst != NULL && is_too_much(traffic[i]))
			ctx_report(ctx, burst->place, "bad-value",
				   "network.%s.burst cannot be '%s'", ways[i], burst->text)
				->expected =
				ctx_format(ctx,
					   "At that rate it takes more than %d seconds, the most.",
					   SPEC_BURST_SECONDS);
	}
}
