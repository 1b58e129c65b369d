# SPDX-License-Identifier: LGPL-2.1-or-later
# What a workload sees of its own sandbox, a line "KEY VALUE" for each: tests/fault/mutation.bats
# runs it with a row left out and looks which line changes. Runs inside, as `bash -c TEXT WORK`.
# shellcheck shell=bash

work=$0
is() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
# Of a child that the shell has changed nothing for.
of_status() { awk -v name="$1:" '$1 == name { print $2 }' /proc/self/status; }
read -r -a stat <"/proc/$$/stat"
own_fds=
for fd in {3..20}; do
	[ ! -h "/proc/$$/fd/$fd" ] || own_fds+="$fd "
done

echo "accounts $(is grep -q '^nobody:' /etc/passwd)"
echo "affinity $(of_status Cpus_allowed_list)"
echo "blocked_signals $(of_status SigBlk)"
echo "descriptors ${own_fds:-none}"
echo "directory $PWD"
echo "hostname $(uname -n)"
echo "ignored_signals $(of_status SigIgn)"
echo "kernel_path $(is head -c 1 /proc/interrupts)"
echo "key $(is keyctl print %user:cordon-planted)"
# Nobody listens: "refused" is the answer of a loopback that is up.
echo "loopback $(is grep -q refused <(exec 2>&1; : </dev/tcp/127.0.0.1/9))"
echo "oom_score $(cat "/proc/$$/oom_score_adj")"
echo "personality $(cat "/proc/$$/personality")"
echo "process_group $([ "${stat[4]}" = "$$" ] && echo own || echo "${stat[4]}")"
echo "propagation $(is grep -Eq ' (shared|master):' "/proc/$$/mountinfo")"
echo "reopen $(is test -w "/proc/$$/fd/1")"
echo "scheduling $(chrt -p $$ | sed -n 's/.*policy: //p')"
echo "seccomp $(of_status Seccomp)"
echo "session ${stat[5]}"
echo "umask $(umask)"
echo "volume $(is test -w "$work")"
echo "end"
