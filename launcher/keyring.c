/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keeper's session keyring; see keyring.h. */
#include "launcher/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/sys.h"

/* Rights of a key, keyctl_setperm(3): the possessor everything; the user to find and see it. */
enum { KEY_POSSESSOR_ALL = 0x3f000000, KEY_USER_VIEW = 0x00010000, KEY_USER_SEARCH = 0x00080000 };

/* Whether the key belongs to this user and nobody else may touch it. A keyring is found by its name
 * whoever made it, where its rights let others search it. The kernel describes a key as
 * "TYPE;UID;GID;RIGHTS;NAME". */
static bool is_own_keyring(long id, uint32_t euid)
{
	enum { GROUP_AND_OTHERS = 0xffff };
	char text[256];
	long n = sys_keyctl(KEYCTL_DESCRIBE, (unsigned long)id, (unsigned long)text, sizeof(text),
			    0);
	unsigned long rights;
	char *field;

	if (n <= 0 || n > (long)sizeof(text) || !str_has_prefix(text, "keyring;"))
		return false;
	field = text + strlen("keyring;");
	if (strtoul(field, &field, 10) != euid || *field++ != ';')
		return false;
	field = strchr(field, ';'); /* the group */
	if (field == NULL)
		return false;
	rights = strtoul(field + 1, &field, 16);
	return *field == ';' && (rights & GROUP_AND_OTHERS) == 0;
}

static long join_keyring(const char *name)
{
	return sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)name, 0, 0, 0);
}

int keyring_join(struct launch *launch, struct err *err)
{
	unsigned long rights = KEY_POSSESSOR_ALL | KEY_USER_SEARCH | KEY_USER_VIEW;
	uint32_t euid = launch->decision->facts.euid;
	char name[32];
	long id;

	str_format(name, sizeof(name), "cordon-%u", euid);
	id = join_keyring(name);
	/* Another's under that name, or one that has run out: then one without a name. */
	if (id < 0 || !is_own_keyring(id, euid) ||
	    sys_keyctl(KEYCTL_SETPERM, (unsigned long)id, rights, 0, 0) < 0)
		id = join_keyring(NULL);
	if (id < 0)
		return err_set(err, ERR_SETUP, (int)-id, "leave the caller's session keyring");
	launch->session_keyring = id;
	return 0;
}

int keyring_verify(struct launch *launch, struct err *err)
{
	long id =
		sys_keyctl(KEYCTL_GET_KEYRING_ID, (unsigned long)KEY_SPEC_SESSION_KEYRING, 0, 0, 0);

	return id <= 0 || id != launch->session_keyring ||
			       !is_own_keyring(id, launch->decision->facts.euid)
		       ? err_set(err, ERR_SETUP, 0, "the session keyring is still the caller's")
		       : 0;
}
