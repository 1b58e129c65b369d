/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See access.h. The texts of a denial are the workload's in part; they are compared, and put into
 * sentences, and nothing else. The rule is found from what the specification says, as landlock.c
 * makes the rules from it: first the lists, which only take away, then the mount.
 */
#include "launcher/access.h"

#include <string.h>

#include "base/path.h"
#include "base/str.h"

#define put(field, ...) str_format(field, sizeof(field), __VA_ARGS__)

static const char give_up[] = "no key gives it while Landlock is on; to do without: --waive "
			      "\"landlock=REASON\"";

const struct spec_mount *access_find_mount(const struct sandbox_spec *spec, const char *path)
{
	const struct spec_mount *found = NULL;

	/* Parents stand first. */
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (path_is_below(path, spec->mounts[i].target))
			found = &spec->mounts[i];
	return found;
}

/* ---- Landlock ---- */

static enum spec_path_right right_of(const char *blockers)
{
	if (strstr(blockers, "fs.execute") != NULL)
		return PATH_EXECUTE;
	return str_has_prefix(blockers, "fs.read_") ? PATH_READ : PATH_WRITE;
}

static bool has_path(const struct spec_path_list *list, const char *path)
{
	for (size_t i = 0; i < list->n_paths; i++)
		if (path_is_below(path, list->paths[i]))
			return true;
	return false;
}

/* The last list that takes the right away from that path; NULL: none does. */
static const struct spec_path_list *find_list(const struct spec_landlock *landlock,
					      enum spec_path_right right, const char *path)
{
	for (size_t i = landlock->n_lists; i-- > 0;)
		if (landlock->lists[i].right == right && !has_path(&landlock->lists[i], path))
			return &landlock->lists[i];
	return NULL;
}

static void describe_mount(const struct spec_mount *mount, enum spec_path_right right,
			   struct access_view *view)
{
	view->origin = mount->origin;
	put(view->by, "the mount at %s", mount->target);
	if (right == PATH_EXECUTE)
		put(view->remedy, "to allow it, leave noexec out there");
	else if (str_equal(mount->source, mount->target))
		put(view->remedy, "to allow it: --rw %s", mount->source);
	else
		put(view->remedy, "to allow it, leave read_only out there");
}

static void describe_path(const struct sandbox_spec *spec, const struct access_denial *denial,
			  struct access_view *view)
{
	static const char *const names[] = {
		[PATH_READ] = "read", [PATH_WRITE] = "write", [PATH_EXECUTE] = "execute"};
	enum spec_path_right right = right_of(denial->what);
	const struct spec_path_list *list = find_list(&spec->landlock, right, denial->path);
	const struct spec_mount *mount = access_find_mount(spec, denial->path);

	if (strstr(denial->what, "fs.make_char") != NULL ||
	    strstr(denial->what, "fs.make_block") != NULL) {
		put(view->remedy, "nobody inside makes a device: no key allows it");
		return;
	}
	put(view->remedy, "%s", give_up);
	/* No list gives what the mounts do not. */
	if (str_equal(denial->what, "fs.ioctl_dev") ||
	    (right == PATH_WRITE && path_is_below(denial->path, "/proc")))
		return;
	if (list != NULL) {
		view->origin = list->origin;
		put(view->by, "landlock.%s", names[right]);
		put(view->remedy, "to allow it, add %s to landlock.%s there", denial->path,
		    names[right]);
	} else if (mount != NULL && ((right == PATH_WRITE && mount->read_only) ||
				     (right == PATH_EXECUTE && mount->noexec))) {
		describe_mount(mount, right, view);
	}
}

static void describe_port(const struct spec_landlock *landlock, const struct access_denial *denial,
			  struct access_view *view)
{
	bool is_bind = strstr(denial->what, "net.bind_tcp") != NULL;
	const char *key = is_bind ? "bind_tcp" : "connect_tcp";

	view->origin = is_bind ? landlock->bind_tcp.origin : landlock->connect_tcp.origin;
	put(view->by, "landlock.%s", key);
	if (denial->port != UINT64_MAX)
		put(view->remedy, "to allow it, add %llu to landlock.%s there",
		    (unsigned long long)denial->port, key);
	else
		put(view->remedy, "to allow it, add its port to landlock.%s there", key);
}

static void describe_landlock(const struct sandbox_spec *spec, const struct access_denial *denial,
			      struct access_view *view)
{
	view->layer = "landlock";
	view->origin = spec->landlock.origin;
	put(view->by, "Landlock");
	if (denial->port != UINT64_MAX)
		put(view->what, "%s %llu", denial->what, (unsigned long long)denial->port);
	else
		put(view->what, "%s%s%s", denial->what, denial->path[0] != '\0' ? " " : "",
		    denial->path);
	if (str_has_prefix(denial->what, "fs."))
		describe_path(spec, denial, view);
	else if (str_has_prefix(denial->what, "net."))
		describe_port(&spec->landlock, denial, view);
	else
		put(view->remedy, "nothing of that kind leaves a sandbox: %s", give_up);
}

/* ---- AppArmor ---- */

static void describe_apparmor(const struct sandbox_spec *spec, const struct access_denial *denial,
			      struct access_view *view)
{
	const struct spec_apparmor *apparmor = &spec->apparmor;

	view->layer = "apparmor";
	view->origin = apparmor->origin;
	put(view->what, "%s%s%s%s%s", denial->what, denial->detail[0] != '\0' ? " " : "",
	    denial->detail, denial->path[0] != '\0' ? " " : "", denial->path);
	put(view->by, "AppArmor's profile %s%s", apparmor->profile,
	    denial->is_certain != 0 ? "" : ", perhaps of another sandbox under it");
	if (str_equal(apparmor->profile, APPARMOR_OWN_PROFILE))
		put(view->remedy, "the profile is one for all policies; to do without: --set "
				  "apparmor=unconfined --waive \"apparmor=REASON\"");
	else
		put(view->remedy, "to allow it, change that profile");
}

void access_describe(const struct sandbox_spec *spec, const struct access_denial *denial,
		     struct access_view *ret)
{
	*ret = (struct access_view){.layer = ""};
	if (denial->layer == ACCESS_LANDLOCK)
		describe_landlock(spec, denial, ret);
	else
		describe_apparmor(spec, denial, ret);
}
