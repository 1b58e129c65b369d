/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon network connect` and `disconnect`: another place in a network for a sandbox that is
 * there, or one less. What its record says is changed first, by flags that become the last ones,
 * and decided anew with them: so a crash behind that is put right by its next start, or by the same
 * command again. Where it runs the link then comes or goes, from outside: cmd/network_live.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cmd/life.h"
#include "cmd/network_live.h"
#include "cmd/print.h"
#include "launcher/fault.h"
#include "records/events.h"

enum { SAID_MAX = 8192 };

/* ---- what the record says ---- */

static bool is_of_mode(enum policy_flag_kind kind)
{
	return kind == FLAG_NETWORK || kind == FLAG_NETWORK_ALIAS || kind == FLAG_LINK ||
	       kind == FLAG_IP || kind == FLAG_IP6 || kind == FLAG_MAC_ADDRESS;
}

static bool is_ours(const struct policy_flag *flag)
{
	return flag->kind == FLAG_SET && (str_has_prefix(flag->text, "network.+networks=") ||
					  str_has_prefix(flag->text, "network.networks=") ||
					  str_equal(flag->text, "network.mode=none"));
}

/* The record's flags, and one or two behind them. is_whole: what they say of networks stands for
 * all that was said before. malloc, the caller's. */
static struct policy_flag *flags_with(const struct record *record, bool is_whole, const char *said,
				      size_t *ret_n)
{
	const struct policy_request *policy = &record->request.policy;
	struct policy_flag *flags = calloc(policy->n_flags + 2, sizeof(*flags));
	size_t n = 0;

	for (size_t i = 0; flags != NULL && i < policy->n_flags; i++)
		if (!is_whole ||
		    (!is_of_mode(policy->flags[i].kind) && !is_ours(&policy->flags[i])))
			flags[n++] = policy->flags[i];
	if (flags != NULL && is_whole)
		flags[n++] = (struct policy_flag){.kind = FLAG_SET, .text = "network.mode=none"};
	if (flags != NULL)
		flags[n++] = (struct policy_flag){.kind = FLAG_SET, .text = said};
	*ret_n = n;
	return flags;
}

static size_t put_text(char *buf, size_t at, const char *key, const char *value)
{
	return value == NULL || value[0] == '\0'
		       ? at
		       : at + str_format(buf + at, SAID_MAX - at, ", %s: \"%s\"", key, value);
}

static size_t put_endpoint(char *buf, size_t at, const struct spec_endpoint *endpoint)
{
	char mac[MAC_TEXT_MAX];

	at += str_format(buf + at, SAID_MAX - at, "{name: \"%s\"", endpoint->network);
	at = put_text(buf, at, "ip", endpoint->ip);
	at = put_text(buf, at, "ip6", endpoint->ip6);
	address_format_mac(endpoint->mac, mac);
	at = put_text(buf, at, "mac", endpoint->has_mac ? mac : NULL);
	at += str_format(buf + at, SAID_MAX - at, ", aliases: [");
	for (size_t i = 0; i < endpoint->n_aliases; i++)
		at += str_format(buf + at, SAID_MAX - at, "%s\"%s\"", i > 0 ? ", " : "",
				 endpoint->aliases[i]);
	at += str_format(buf + at, SAID_MAX - at, "], links: [");
	for (size_t i = 0; i < endpoint->n_links; i++)
		at += str_format(buf + at, SAID_MAX - at, "%s\"%s%s%s\"", i > 0 ? ", " : "",
				 endpoint->links[i].source,
				 endpoint->links[i].alias[0] != '\0' ? ":" : "",
				 endpoint->links[i].alias);
	return at + str_format(buf + at, SAID_MAX - at, "]}");
}

static int decide(struct member *member, const struct record *record, struct verdict *verdict)
{
	struct run_request request = record->request, roots;
	int r = kept_enter_directory(record, &verdict->err);

	cmd_request_init(member->context, &roots);
	request.root_dir = roots.root_dir;
	request.runtime_dir = roots.runtime_dir;
	request.kept_dir = member->records.home;
	return r == 0 ? kept_decide(verdict, &request) : r;
}

static int write_record(const struct member *member, const struct record *record, struct err *err)
{
	struct fields_writer writer = {0};
	int r = record_text(record, &writer);

	if (r == 0)
		r = records_write(member->sandbox.dir_fd, "record", writer.text, writer.len,
				  member->sandbox.is_kept);
	free(writer.text);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "sandbox %s: write its record", member->ref) : 0;
}

/* For tests of what a crash leaves. */
static int stop_in_tests(const char *point, struct err *err)
{
	int r = fault_point(point, NULL);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s", point) : 0;
}

/* Decides the record with other flags and writes it down. */
static int change_record(struct member *member, bool is_whole, const char *said,
			 struct verdict *verdict)
{
	_cleanup_free_ struct policy_flag *flags = NULL;
	struct record changed = member->record;
	int r;

	flags = flags_with(&member->record, is_whole, said, &changed.request.policy.n_flags);
	if (flags == NULL)
		return err_set(&verdict->err, ERR_SETUP, ENOMEM, "flags");
	changed.request.policy.flags = flags;
	r = decide(member, &changed, verdict);
	if (r == 0)
		r = stop_in_tests("connect.decided", &verdict->err);
	if (r == 0)
		r = write_record(member, &changed, &verdict->err);
	return r == 0 ? stop_in_tests("connect.written", &verdict->err) : r;
}

/* ---- the sandbox ---- */

static const struct spec_endpoint *find_endpoint(const struct sandbox_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->network.n_endpoints; i++)
		if (str_equal(spec->network.endpoints[i].network, name))
			return &spec->network.endpoints[i];
	return NULL;
}

static int read_member(struct member *member, struct err *err)
{
	int r = records_find(&member->records, member->ref, &member->sandbox, err);

	if (r == 0)
		r = sandbox_lock(&member->records, &member->sandbox, err);
	if (r == 0)
		r = status_settle(&member->records, &member->sandbox, err);
	if (r >= 0)
		r = record_read(&member->records, &member->sandbox, &member->record, err);
	if (r == 0)
		r = status_read(&member->records, &member->sandbox, &member->status, err);
	if (r == 0 && (member->status.state == SANDBOX_STARTING ||
		       member->status.state == SANDBOX_RESTARTING)) {
		err_set(err, ERR_USAGE, EBUSY, "sandbox %s is being started", member->ref);
		err_hint(err, "Once it runs, or is stopped: the same command again.");
		r = -EBUSY;
	}
	return r < 0 ? r : 0;
}

static int find_network(struct member *member, const char *ref, struct err *err)
{
	int r = networks_find(&member->place.networks, ref, &member->network, err);

	if (r < 0 || member->network.driver == NETWORK_BRIDGE)
		return r;
	return err_set(err, ERR_USAGE, 0, "network %s: no sandbox that is there joins or leaves it",
		       member->network.name);
}

/* ---- connect ---- */

/* Nothing that would end the text that it is put in; the rest the policy says. */
static int check_words(const struct words *words, struct err *err)
{
	for (size_t i = 0; i < words->n_flags; i++) {
		const char *value = words->flags[i].value;

		if (value != NULL &&
		    strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "_.:-") != strlen(value))
			return err_set(err, ERR_USAGE, 0, "%s %s: is no name or address",
				       words->flags[i].name, value);
	}
	return 0;
}

/* What it is called there, and calls others. */
struct called {
	const char *aliases[SPEC_ALIASES_MAX];
	struct spec_link links[SPEC_ALIASES_MAX]; /* as they were said, without an alias */
};

static int describe(const struct member *member, const struct words *words, struct called *called,
		    struct spec_endpoint *ret, struct err *err)
{
	*ret = (struct spec_endpoint){.network = member->network.name,
				      .ip = words_value(words, "--ip"),
				      .ip6 = words_value(words, "--ip6"),
				      .aliases = called->aliases,
				      .links = called->links};
	for (size_t i = 0; i < words->n_flags; i++) {
		const char *value = words->flags[i].value;

		if (ret->n_aliases == SPEC_ALIASES_MAX || ret->n_links == SPEC_ALIASES_MAX)
			return err_set(err, ERR_USAGE, 0, "more than %d aliases, or links",
				       SPEC_ALIASES_MAX - 1);
		if (str_equal(words->flags[i].name, "--alias"))
			called->aliases[ret->n_aliases++] = value;
		if (str_equal(words->flags[i].name, "--link"))
			called->links[ret->n_links++] =
				(struct spec_link){.source = value, .alias = ""};
	}
	return check_words(words, err);
}

static int already_in(const struct member *member, struct err *err)
{
	return err_set(err, ERR_USAGE, EEXIST, "sandbox %s is in network %s already", member->ref,
		       member->network.name);
}

static int connect_decided(struct member *member, const struct words *words, struct verdict *before,
			   struct verdict *verdict)
{
	const struct spec_endpoint *endpoint =
		find_endpoint(&before->decision.spec, member->network.name);
	struct spec_endpoint wanted;
	struct called called;
	char said[SAID_MAX];
	size_t len;
	int r = 0;

	if (before->decision.spec.network.kind != NETWORK_OF_ITS_OWN) {
		err_set(&verdict->err, ERR_USAGE, 0,
			"sandbox %s is in a network that is not its own", member->ref);
		return err_hint(&verdict->err, "Make another one, with --network %s.",
				member->network.name);
	}
	/* What its record says and a crash has not made is made now. */
	if (endpoint != NULL &&
	    (!network_live_runs(member) || network_live_is_in(member, &before->decision.spec)))
		return already_in(member, &verdict->err);
	if (endpoint != NULL)
		return network_live_join(member, &before->decision.spec, endpoint, &verdict->err);
	r = describe(member, words, &called, &wanted, &verdict->err);
	if (r < 0)
		return r;
	len = str_format(said, sizeof(said), "network.+networks=[");
	len = put_endpoint(said, len, &wanted);
	str_format(said + len, sizeof(said) - len, "]");
	r = change_record(member, false, said, verdict);
	if (r < 0 || !network_live_runs(member))
		return r;
	endpoint = find_endpoint(&verdict->decision.spec, member->network.name);
	r = network_live_join(member, &verdict->decision.spec, endpoint, &verdict->err);
	if (r < 0) {
		struct err ignored;

		/* As it was: it is not there, so it is not to come with the next start. */
		ignore_result(write_record(member, &member->record, &ignored),
			      "the error that is told of came first");
	}
	return r;
}

/* ---- disconnect ---- */

/* Its relay goes on, and would lead to whoever is given the address next. */
static int check_ports(const struct member *member, struct err *err)
{
	int r = network_live_has_ports(member, err);

	if (r <= 0)
		return r;
	err_set(err, ERR_USAGE, EBUSY, "sandbox %s: its published ports lead by network %s",
		member->ref, member->network.name);
	return err_hint(err, "Stop it first: its next start publishes them by another network.");
}

static int disconnect_decided(struct member *member, const struct words *words,
			      struct verdict *before, struct verdict *verdict)
{
	const struct spec_network *network = &before->decision.spec.network;
	bool is_said = find_endpoint(&before->decision.spec, member->network.name) != NULL;
	bool is_there = network_live_runs(member) && !network_live_has_left_nothing(member);
	char said[SAID_MAX];
	size_t len;
	int r;

	if (!is_said && !is_there)
		return words_has(words, "--force") ? 0
						   : err_set(&verdict->err, ERR_USAGE, ENOENT,
							     "sandbox %s is not in network %s",
							     member->ref, member->network.name);
	r = check_ports(member, &verdict->err);
	if (r < 0)
		return r;
	len = str_format(said, sizeof(said), "network.networks=[");
	for (size_t i = 0, n = 0; i < network->n_endpoints; i++) {
		if (str_equal(network->endpoints[i].network, member->network.name))
			continue;
		len += str_format(said + len, sizeof(said) - len, "%s", n++ > 0 ? ", " : "");
		len = put_endpoint(said, len, &network->endpoints[i]);
	}
	str_format(said + len, sizeof(said) - len, "]");
	if (is_said)
		r = change_record(member, true, said, verdict);
	return r == 0 ? network_live_leave(member,
					   is_said ? &verdict->decision.spec
						   : &before->decision.spec,
					   &verdict->err)
		      : r;
}

/* ---- both ---- */

typedef int (*change_fn)(struct member *member, const struct words *words, struct verdict *before,
			 struct verdict *verdict);

static int change(struct member *member, const struct words *words, const char *event,
		  change_fn how)
{
	_cleanup_verdict_ struct verdict *before = verdict_new();
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	int r;

	if (before == NULL || verdict == NULL)
		return EXIT_CORDON;
	r = decide(member, &member->record, before);
	if (r < 0) {
		verdict_print_refusal(before);
		return err_exit_code(&before->err);
	}
	r = how(member, words, before, verdict);
	if (r < 0) {
		verdict_print_refusal(verdict);
		return err_exit_code(&verdict->err);
	}
	events_note(&member->records, &member->sandbox, event, NULL, 0);
	return 0;
}

static int run(const struct cmd_context *context, const char *command, char **argv, change_fn how)
{
	struct member member = {.context = context, .sandbox = {.dir_fd = -EBADF}};
	char name[32];
	struct words words;
	struct err err = {0};
	int exit_code = 0;
	int r;

	str_format(name, sizeof(name), "network %s", command);
	r = life_parse(name, argv, 2, &words, &exit_code);
	if (r < 0)
		return exit_code;
	if (r > 2) {
		print_note("%s takes a network and a sandbox, but was given %s as well", name,
			   argv[3]);
		return EXIT_CORDON;
	}
	if (network_check_root(command, &err) < 0 ||
	    network_place_open(context, true, &member.place, &err) < 0)
		return life_say(&err);
	member.ref = argv[2];
	r = find_network(&member, argv[1], &err);
	if (r == 0 && kept_open(context, false, &member.records) < 0)
		return EXIT_CORDON;
	if (r == 0)
		r = read_member(&member, &err);
	exit_code = r < 0 ? life_say(&err) : change(&member, &words, command, how);
	status_release(&member.status);
	record_free(&member.record);
	sandbox_release(&member.sandbox);
	kept_close(&member.records);
	network_place_close(&member.place);
	return exit_code;
}

int cmd_network_connect(const struct cmd_context *context, int argc, char **argv)
{
	(void)argc;
	return run(context, "connect", argv, connect_decided);
}

int cmd_network_disconnect(const struct cmd_context *context, int argc, char **argv)
{
	(void)argc;
	return run(context, "disconnect", argv, disconnect_decided);
}
