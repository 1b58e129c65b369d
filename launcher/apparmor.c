/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AppArmor by its files in /proc; see apparmor.h. The probe runs in the keeper, the row in the
 * workload's process, where nothing allocates. */
#include "launcher/apparmor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/cordon.h"
#include "launcher/launch.h"

enum { LABEL_MAX = 1024 };

/* Below /proc, which is the sandbox's own where the row asks: whatever its root has made of that.
 */
static const char current_file[] = "thread-self/attr/apparmor/current";
static const char exec_file[] = "thread-self/attr/apparmor/exec";

/* Returns a negative errno where the label cannot be read: -EINVAL where the kernel was booted
 * without AppArmor, -ENOENT where it was built without. */
static int read_label(const char *path, char *label, size_t size)
{
	_cleanup_fd_ int proc = sys_open_proc();
	ssize_t n = proc < 0 ? proc : io_read_text(proc, path, label, size);

	if (n < 0)
		return (int)n;
	io_chomp(label);
	return 0;
}

static int write_text(const char *path, const char *text)
{
	_cleanup_fd_ int proc = sys_open_proc();

	return proc < 0 ? proc : io_write_text(proc, path, text);
}

/* A label is "NAME (MODE)", or "unconfined" alone. In the mode of that name a profile permits
 * everything. */
static bool is_confined(const char *label)
{
	return !str_equal(label, "unconfined") && strstr(label, " (unconfined)") == NULL;
}

bool apparmor_has_label(void)
{
	char label[LABEL_MAX];

	return read_label(current_file, label, sizeof(label)) == 0 &&
	       !str_equal(label, "unconfined");
}

bool apparmor_is_confined(void)
{
	char label[LABEL_MAX];

	return read_label(current_file, label, sizeof(label)) == 0 && is_confined(label);
}

void apparmor_probe(const char *profile, struct host_facts *facts)
{
	char label[LABEL_MAX];
	char test[LABEL_MAX];
	int r = read_label(current_file, label, sizeof(label));

	facts->apparmor = r != -ENOENT && r != -EINVAL && r != -EOPNOTSUPP;
	facts->apparmor_confined = r == 0 && is_confined(label);
	facts->apparmor_profile = APPARMOR_FORBIDDEN;
	if (r < 0)
		return;
	str_format(test, sizeof(test), "permprofile %s%s", facts->apparmor_confined ? "&" : "",
		   profile);
	r = write_text(current_file, test);
	if (r == 0)
		facts->apparmor_profile = APPARMOR_LOADED;
	else if (r == -ENOENT)
		facts->apparmor_profile = APPARMOR_NOT_LOADED;
}

bool apparmor_is_wanted(const struct decision *decision)
{
	return decision->spec.apparmor.demand != DEMAND_NONE && decision->facts.apparmor &&
	       decision->facts.apparmor_profile == APPARMOR_LOADED;
}

int apparmor_ask(struct launch *launch, struct err *err)
{
	const char *profile = launch->spec->apparmor.profile;
	bool stacks = launch->decision->facts.apparmor_confined;
	char command[LABEL_MAX];
	int r;

	/* Beside a profile of the caller's, not in its place: both hold. */
	str_format(command, sizeof(command), "%s %s", stacks ? "stack" : "exec", profile);
	r = write_text(exec_file, command);
	if (r == 0)
		return 0;
	err_set(err, ERR_SETUP, -r, "apparmor: profile %s", profile);
	return r == -ENOENT ? err_hint(err, "It is not loaded any more: see `cordon doctor`.") : r;
}

/* A profile in complain mode, or in one that permits everything, only looks like a protection. */
int apparmor_verify(struct launch *launch, struct err *err)
{
	const char *profile = launch->spec->apparmor.profile;
	size_t len = strlen(profile);
	char label[LABEL_MAX];
	int r = read_label(exec_file, label, sizeof(label));

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "apparmor: read back what exec will bring");
	if (str_has_prefix(label, profile) &&
	    (str_equal(label + len, " (enforce)") || str_equal(label + len, " (kill)")))
		return 0;
	err_set(err, ERR_SETUP, 0, "apparmor: exec will bring '%s', not %s in enforce mode", label,
		profile);
	return err_hint(err,
			"As root: aa-enforce, or apparmor_parser -r, with the profile's file.");
}
