/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Symbolic constants; see constants.h. The values are those of the headers that this program is
 * built with, which belong to the native architecture, as does the filter.
 */
#include "policy/constants.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/parse.h"
#include "base/str.h"

struct constant {
	const char *name;
	uint64_t value;
};

#define CONSTANT(name)                  \
	{                               \
#name, (uint64_t)(name) \
	}
/* Newer than the headers of Debian 12 or spelt as a signed value there. */
#define VALUE(name, number)     \
	{                       \
#name, (number) \
	}

static const struct constant constants[] = {
	CONSTANT(AF_UNSPEC),
	CONSTANT(AF_UNIX),
	CONSTANT(AF_LOCAL),
	CONSTANT(AF_INET),
	CONSTANT(AF_INET6),
	CONSTANT(AF_NETLINK),
	CONSTANT(AF_PACKET),
	CONSTANT(AF_ALG),
	CONSTANT(AF_VSOCK),
	CONSTANT(AF_BLUETOOTH),
	CONSTANT(AF_CAN),
	CONSTANT(AF_KEY),
	CONSTANT(AF_TIPC),
	CONSTANT(AF_XDP),
	CONSTANT(AF_RDS),
	CONSTANT(AF_QIPCRTR),
	CONSTANT(AF_SMC),
	CONSTANT(AF_NFC),
	CONSTANT(AF_X25),
	CONSTANT(AF_AX25),
	CONSTANT(AF_APPLETALK),
	CONSTANT(AF_LLC),
	CONSTANT(AF_PPPOX),
	CONSTANT(SOCK_STREAM),
	CONSTANT(SOCK_DGRAM),
	CONSTANT(SOCK_RAW),
	CONSTANT(SOCK_SEQPACKET),
	CONSTANT(SOCK_CLOEXEC),
	CONSTANT(SOCK_NONBLOCK),
	CONSTANT(NETLINK_ROUTE),
	CONSTANT(NETLINK_SOCK_DIAG),
	CONSTANT(NETLINK_XFRM),
	CONSTANT(NETLINK_SELINUX),
	CONSTANT(NETLINK_AUDIT),
	CONSTANT(NETLINK_CONNECTOR),
	CONSTANT(NETLINK_NETFILTER),
	CONSTANT(NETLINK_KOBJECT_UEVENT),
	CONSTANT(NETLINK_GENERIC),
	CONSTANT(NETLINK_CRYPTO),
	CONSTANT(CLONE_VM),
	CONSTANT(CLONE_FS),
	CONSTANT(CLONE_FILES),
	CONSTANT(CLONE_SIGHAND),
	CONSTANT(CLONE_PTRACE),
	CONSTANT(CLONE_VFORK),
	CONSTANT(CLONE_PARENT),
	CONSTANT(CLONE_THREAD),
	CONSTANT(CLONE_NEWNS),
	CONSTANT(CLONE_NEWCGROUP),
	CONSTANT(CLONE_NEWUTS),
	CONSTANT(CLONE_NEWIPC),
	CONSTANT(CLONE_NEWUSER),
	CONSTANT(CLONE_NEWPID),
	CONSTANT(CLONE_NEWNET),
	VALUE(CLONE_NEWTIME, 0x80),
	VALUE(CLONE_IO, 0x80000000),
	CONSTANT(TIOCSTI),
	CONSTANT(TIOCLINUX),
	CONSTANT(TIOCSCTTY),
	CONSTANT(TIOCNOTTY),
	CONSTANT(TIOCCONS),
	CONSTANT(TIOCSETD),
	CONSTANT(TIOCGWINSZ),
	CONSTANT(TIOCSWINSZ),
	CONSTANT(PER_LINUX),
	CONSTANT(PER_LINUX32),
	CONSTANT(PER_BSD),
	CONSTANT(PER_SVR4),
	CONSTANT(ADDR_NO_RANDOMIZE),
	CONSTANT(ADDR_COMPAT_LAYOUT),
	CONSTANT(READ_IMPLIES_EXEC),
	CONSTANT(UNAME26),
	CONSTANT(O_CREAT),
	CONSTANT(O_WRONLY),
	CONSTANT(O_RDWR),
	CONSTANT(O_TRUNC),
	CONSTANT(PROT_READ),
	CONSTANT(PROT_WRITE),
	CONSTANT(PROT_EXEC),
	CONSTANT(MAP_SHARED),
	CONSTANT(MAP_ANONYMOUS),
	CONSTANT(PR_SET_DUMPABLE),
	CONSTANT(PR_SET_SECCOMP),
	CONSTANT(PR_SET_NO_NEW_PRIVS),
	CONSTANT(PR_SET_MM),
	CONSTANT(PR_SET_PTRACER),
};

enum { N_CONSTANTS = sizeof(constants) / sizeof(constants[0]), ERRNO_NAMED_END = 134 };

static int parse_hex(const char *text, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (text[0] == '\0' || strlen(text) > 16)
		return -EINVAL;
	for (; *text != '\0'; text++) {
		const char *digits = "0123456789abcdef";
		char c = (char)(*text >= 'A' && *text <= 'F' ? *text - 'A' + 'a' : *text);
		const char *digit = strchr(digits, c);

		if (digit == NULL)
			return -EINVAL;
		value = value << 4 | (uint64_t)(digit - digits);
	}
	*ret_value = value;
	return 0;
}

static int parse_word(const char *word, uint64_t *ret_value)
{
	if (str_has_prefix(word, "0x"))
		return parse_hex(word + 2, ret_value);
	for (size_t i = 0; i < N_CONSTANTS; i++) {
		if (str_equal(word, constants[i].name)) {
			*ret_value = constants[i].value;
			return 0;
		}
	}
	/* "010" is eight to some readers and ten to others. */
	if (word[0] == '0' && word[1] != '\0')
		return -EINVAL;
	return parse_u64(word, ret_value) < 0 ? -EINVAL : 0;
}

int constants_argument(const char *text, uint64_t *ret_value)
{
	uint64_t all = 0;

	for (;;) {
		size_t len = strcspn(text, "|");
		char word[64];
		uint64_t value;
		int r;

		if (len >= sizeof(word))
			return -EINVAL;
		str_format(word, sizeof(word), "%.*s", (int)len, text);
		r = parse_word(word, &value);
		if (r < 0)
			return r;
		all |= value;
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	*ret_value = all;
	return 0;
}

const char *constants_nearest_argument(const char *word)
{
	const char *names[N_CONSTANTS];

	for (size_t i = 0; i < N_CONSTANTS; i++)
		names[i] = constants[i].name;
	return str_nearest(word, names, N_CONSTANTS);
}

const char *constants_errno_name(uint32_t value)
{
	return value < ERRNO_NAMED_END ? strerrorname_np((int)value) : NULL;
}

const char *constants_name(const char *prefix, uint64_t value)
{
	for (size_t i = 0; i < N_CONSTANTS; i++)
		if (constants[i].value == value && str_has_prefix(constants[i].name, prefix))
			return constants[i].name;
	return NULL;
}

int constants_errno(const char *text, uint32_t *ret_value)
{
	uint32_t value;

	for (uint32_t i = 1; i < ERRNO_NAMED_END; i++) {
		const char *name = constants_errno_name(i);

		if (name != NULL && str_equal(text, name)) {
			*ret_value = i;
			return 0;
		}
	}
	/* MAX_ERRNO, include/linux/err.h: more than that is no error to libc. */
	if (parse_u32(text, &value) < 0 || value == 0 || value > 4095)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

const char *constants_nearest_errno(const char *word)
{
	const char *names[ERRNO_NAMED_END] = {NULL};

	for (uint32_t i = 1; i < ERRNO_NAMED_END; i++)
		names[i] = constants_errno_name(i);
	return str_nearest(word, names, ERRNO_NAMED_END);
}

/* Real-time signals as programs see them: the C libraries keep the kernel's first two for
 * themselves (signal(7)). */
static int realtime_signal(const char *text, uint32_t *ret_value)
{
	enum { FIRST = 34, LAST = 64 };
	bool is_first = str_has_prefix(text, "RTMIN");
	uint32_t distance = 0;

	if (!is_first && !str_has_prefix(text, "RTMAX"))
		return -EINVAL;
	text += strlen("RTMIN");
	if (*text != '\0' &&
	    (*text != (is_first ? '+' : '-') || parse_u32(text + 1, &distance) < 0))
		return -EINVAL;
	if (distance > LAST - FIRST)
		return -EINVAL;
	*ret_value = is_first ? FIRST + distance : LAST - distance;
	return 0;
}

int constants_signal(const char *text, uint32_t *ret_value)
{
	uint32_t value;

	if (parse_u32(text, &value) == 0) {
		if (value == 0 || value >= (uint32_t)NSIG)
			return -EINVAL;
		*ret_value = value;
		return 0;
	}
	if (str_has_prefix(text, "SIG"))
		text += 3;
	for (int i = 1; i < NSIG; i++) {
		const char *name = sigabbrev_np(i);

		if (name != NULL && str_equal(text, name)) {
			*ret_value = (uint32_t)i;
			return 0;
		}
	}
	return realtime_signal(text, ret_value);
}
