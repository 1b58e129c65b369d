/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the man page and the reference of profiles say around the table of keys. */
#include "cmd/gen/documents.h"

static const char *const form[] = {
	"A profile is a map of keys in YAML. What YAML lets a reader take in more than one way is "
	"an "
	"error: anchors, tags, merge keys, duplicate keys, a second document.",
	"It begins with `cordon: 1`, the version of the form. A value is a text, and its key says "
	"what "
	"it is read as. Quotes keep YAML's special characters from meaning something and make the "
	"empty text; they change nothing else, so that `cordon: \"1\"` is the same.",
	"Mistakes are found all at once, each with file, line and column: `cordon profile check "
	"FILE`. An unknown key is a mistake. A key that this build cannot enforce yet is refused "
	"by "
	"its name, never accepted and ignored.",
	NULL,
};

static const char *const inheritance[] = {
	"`extends` names one parent, a shipped profile or another file. The child is put over it: "
	"maps merge by key, a list replaces the parent's, `+NAME:` adds to the parent's list. The "
	"flags of the command line are the last layer; `--set KEY=VALUE` takes any key.",
	"Settings (process, volumes, limits) may be changed freely. Protections become weaker than "
	"the parent's only by a waiver, with a name and a reason: `waive` in a profile, `--waive "
	"NAME=REASON` on the command line. A waiver is printed at every run.",
	"`cordon explain --profile P` prints every value with the file and line that set it; "
	"`cordon "
	"profile diff A B` how two profiles differ.",
	NULL,
};

static const char *const names[] = {
	"A profile with a slash in it is a path. Any other is a name, and is looked up among the "
	"shipped profiles, in /etc/cordon/profiles and, for others than root, in "
	"$XDG_CONFIG_HOME/cordon/profiles (~/.config/cordon/profiles), never in the working "
	"directory. A file that takes a shipped profile's name is an error, and so is one that "
	"somebody else than root or the caller may write to, or whose directory is such.",
	"Relative paths in a profile start from the directory that the file lies in. The one "
	"variable "
	"is `${cwd}`, the directory where cordon was started; it is refused where that is `/`, a "
	"home "
	"directory or a system directory.",
	NULL,
};

static const char *const values[] = {
	"number: decimal digits. size: bytes, or with one of KiB MiB GiB TiB k m g t (powers of "
	"1024) "
	"or kB MB GB TB (powers of 1000): `64MiB`, `1.5GiB`. duration: `500ms`, `2s`, `1m30s`, "
	"`1h`, "
	"`1d`; a number without a unit is refused. decimal: `0.5`, `2`, up to six digits behind "
	"the "
	"point. rate: a size in a second, `50MiB/s`. mode: three or four octal digits. boolean: "
	"`true` "
	"or `false`.",
	"In the tables below `[]` is one item of a list, and `.*` any name.",
	NULL,
};

static const char *const limits[] = {
	"`limits.ulimits` hold for each process, `limits.nproc` for the user inside, all others "
	"for "
	"the sandbox as a whole. `limits.wall_time` and `limits.output` are kept by cordon itself, "
	"the rest by control groups: where this host has no such group, or the caller may not have "
	"one, the start is refused with what to do about it. "
	"`cordon doctor` says it in advance, `cordon explain` by what each limit is held.",
	"`limits.pids` holds without a control group, too. `limits.memory` alone means `swap: 0`, "
	"since what is too much would go there; `swap: unlimited` lets it. Short of memory the "
	"sandbox ends as a whole. `limits.io.write` takes cgroup v2: v1 counts what is written "
	"through the page cache for nobody.",
	"What stands in `when_possible: {limits: ...}` instead is left out where it cannot be had; "
	"a "
	"line at the start and the report say so. A limit is required or wished for: a child that "
	"makes a wish of its parent's requirement says `unlimited` below `limits` as well. A bound "
	"in /etc/cordon/ceiling.yaml is always required.",
	NULL,
};

static const char *const calls[] = {
	"An entry of `seccomp.allow` or `seccomp.deny` is the name of a system call, a `@group` of "
	"systemd's, `@sandbox-default`, or a map: `{call: socket, args: {0: {not_in: [AF_UNIX]}}, "
	"action: errno(EAFNOSUPPORT)}`. A condition is `{eq: V}`, `{in: [V]}`, `{not_in: [V]}`, "
	"`{masked: {mask: V, eq: V}}` or the same with `ne`; V is a number or a constant, several "
	"joined by `|`.",
	"Actions are `allow`, `log`, `errno(NAME)`, `trap` and `kill`. A deny wins over an allow "
	"of the "
	"same file.",
	"Programs of 32 bits make calls of a second architecture, `x86` on x86-64 and `arm` on "
	"aarch64, which are killed unless `seccomp.architectures` lists it; beneath a parent that "
	"does not, that needs the waiver `seccomp.architecture:x86`. The same lists hold for its "
	"calls. A refusal is also one of a call's other forms (`chown` of `chown32`), a permission "
	"is of the name alone. What a filter cannot see there is refused with ENOSYS: the parts of "
	"`socketcall` and `ipc` whose answer depends on arguments, and calls whose arguments lie "
	"elsewhere than the condition says.",
	NULL,
};

const struct prose prose_before[] = {
	{"Form", form},
	{"Inheritance", inheritance},
	{"Names and paths", names},
	{"Values", values},
	{.title = NULL},
};

const struct prose prose_after[] = {
	{"Limits", limits},
	{"System calls", calls},
	{.title = NULL},
};
