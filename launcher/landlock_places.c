/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Landlock's rules are for, held by the keeper of a sandbox that is kept from before its
 * program runs, for those that are started in it later. A path may lead to something else by then:
 * what is below a writable mount, whoever can write to it has had in his hands.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/landlock.h"
#include "launcher/launch.h"

/* ---- the keeper ---- */

/* Through the root of the workload's process, which waits at the gate: nothing of the sandbox's has
 * run yet. */
static int hold_place(struct landlock_places *places, int root, const struct landlock_rule *rule,
		      struct err *err)
{
	int fd = sys_openat2(root, rule->path, O_PATH | O_CLOEXEC, 0,
			     RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

	/* The sandbox's own program has no rule for it either. */
	if (fd == -EACCES)
		return 0;
	if (fd < 0)
		return landlock_explain_path(rule->path, fd, err);
	/* More are refused by landlock_build. */
	if (places->n == LANDLOCK_PLACES_MAX) {
		close_fd(&fd);
		return err_set(err, ERR_BUG, 0, "more than %d places of Landlock's rules",
			       LANDLOCK_PLACES_MAX);
	}
	places->list[places->n++] = (struct landlock_place){.fd = fd, .access = rule->access};
	return 0;
}

int landlock_hold_places(struct launch *launch, struct err *err)
{
	const struct landlock_rules *rules = &launch->decision->landlock;
	_cleanup_fd_ int root = -EBADF;
	char path[64];
	int r = 0;

	str_format(path, sizeof(path), "/proc/%d/root", launch->workload_pid);
	root = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (root < 0)
		return err_set(err, ERR_SETUP, -root, "%s", path);
	for (size_t i = 0; r == 0 && i < rules->n; i++)
		r = hold_place(&launch->places, root, &rules->list[i], err);
	return r;
}

/* The root has a rule in any sandbox. */
int landlock_verify_places(struct launch *launch, struct err *err)
{
	return launch->places.n > 0
		       ? 0
		       : err_set(err, ERR_SETUP, 0, "no place of Landlock's rules is held");
}

void landlock_release_places(struct landlock_places *places)
{
	for (size_t i = 0; i < places->n; i++)
		close_fd(&places->list[i].fd);
	places->n = 0;
}

/* ---- the client ---- */

int landlock_begin_entering(struct launch *launch, struct err *err)
{
	const struct decision *decision = launch->decision;
	const struct landlock_places *places = &launch->target->places;
	_cleanup_fd_ int ruleset = -EBADF;

	if (!landlock_is_wanted(decision))
		return 0;
	if (places->n == 0) {
		err_set(err, ERR_SETUP, 0,
			"the sandbox's keeper holds no place that Landlock's "
			"rules are for");
		return err_hint(err, "Another build of cordon has started it: `cordon restart` "
				     "starts it by this one.");
	}
	ruleset = sys_landlock_create_ruleset(&decision->landlock.handled,
					      sizeof(decision->landlock.handled), 0);
	if (ruleset < 0)
		return err_set(err, ERR_SETUP, -ruleset, "landlock: create a set of rules");
	for (size_t i = 0; i < places->n; i++) {
		int r = landlock_allow(ruleset, places->list[i].fd, places->list[i].access,
				       "a place that the sandbox's keeper holds", err);

		if (r < 0)
			return r;
	}
	launch->landlock_ruleset = steal_fd(&ruleset);
	return 0;
}
