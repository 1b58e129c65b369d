#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Docker's flags of run: each is seen to work from inside, or from the host's side, beside a run
# without it; and none is taken and ignored.

load ../lib/cordon
load ../lib/attack
load ../lib/grouped

. "$repo/tests/lib/groups.bash"

teardown() {
	own_groups_end && cordon_teardown
}

# Starts a sandbox in the test's own group that stays until `stop`.
start() { # FLAG...
	: >status
	"$CORDON" --root "$CORDON_ROOT" run -q --status-fd 4 --cgroup-parent "$group" "$@" -- sleep 60 4>status >/dev/null 2>&1 3>&- &
	# grouped.bash reads it.
	# shellcheck disable=SC2034
	keeper=$!
	eventually grep -q '"started"' status
}

# A mistake, and nothing has run.
refused() { # PATTERN FLAG...
	says 125 "$1" cordon run "${@:2}" -- sh -c 'echo IT RAN'
	[[ "$output" != *"IT RAN"* ]]
}

@test "spellings: long, short, glued, with and without =, letters together" {
	local flags
	for flags in '--env A=1 --workdir /tmp --hostname box' '-e A=1 -w /tmp -h box' '-eA=1 -w/tmp -hbox' \
		'-e=A=1 -w=/tmp -h=box' '--env=A=1 --workdir=/tmp --hostname=box' '-qie A=1 -iw /tmp --rm -hbox'; do
		# Words on purpose.
		# shellcheck disable=SC2086
		gives 0 "1 /tmp box" cordon run $flags -- sh -c 'echo $A $PWD $(hostname)'
	done
	gives 0 " / sandbox" cordon run --set process.working_dir=/ -- sh -c 'echo "$A $PWD $(hostname)"'
	gives 0 "7:8" cordon run --user 7:8 -- sh -c 'echo $(id -u):$(id -g)'
	gives 0 "7:8" cordon run -u7:8 -- sh -c 'echo $(id -u):$(id -g)'
	gives 0 "1000" cordon run -- id -u
	gives 0 "x" cordon run --rm -i -- cat <<<x
}

@test "env-file: Docker's lines; a flag counts more, wherever it stands" {
	local script='echo "$A|$B|$C|${D-unset}|${GONE-unset}"'
	printf '# comment\n\n  A=1\nB= two  "x" # y\nC\nD=\nGONE\n' >vars
	C=mine gives 0 '1| two  "x" # y|mine||unset' cordon run --env-file vars -- sh -c "$script"
	C=mine gives 0 '9| two  "x" # y|mine||unset' cordon run -e A=9 --env-file=./vars -- sh -c "$script"
	gives 0 '|||unset|unset' cordon run -- sh -c "$script"
	# It is no policy: who may write it does not matter, and it may be a pipe.
	chmod 0666 vars
	gives 0 '1' cordon run --env-file vars -- sh -c 'echo $A'
	gives 0 '3' cordon run --env-file <(echo A=3) -- sh -c 'echo $A'
	# The last one counts.
	echo A=5 >further
	gives 0 '5' cordon run --env-file vars --env-file further -- sh -c 'echo $A'
}

@test "env-file: mistakes have file, line and column" {
	printf 'A=1\n\n  B C=2\n' >vars
	refused "vars:3:3: error: a name with blanks in it*" --env-file vars
	printf 'A=1\n=2\n' >vars
	refused "vars:2:1: error: a line without a name*" --env-file vars
	printf 'A=\xff\n' >vars
	refused "vars:1:1: error: this line is not text*" --env-file vars
	printf 'A=\0x\n' >vars
	refused "vars:1:1: error: this line is not text*" --env-file vars
	refused "*none: No such file*--env-file none*" --env-file none
	refused "*Is a directory*" --env-file "$PWD"
	refused "*neither a regular file nor a pipe*" --env-file /dev/null
	head -c 1100000 /dev/zero | tr '\0' x >vars
	refused "*File too large*" --env-file vars
}

@test "ulimit: each process's; nproc is this sandbox's alone; soft and hard are one" {
	gives 0 "3 processes, then EAGAIN" cordon run --ulimit nproc=3 -- "$ATTACK/processes" 9
	gives 0 "9 processes" cordon run --ulimit nproc=9 -- "$ATTACK/processes" 9
	gives 0 "64 64" cordon run --ulimit nofile=64 -- bash -c 'echo $(ulimit -n) $(ulimit -Hn)'
	gives 0 "64 64" cordon run --ulimit nofile=64:64 -- bash -c 'echo $(ulimit -n) $(ulimit -Hn)'
	gives 0 "1024" cordon run -- bash -c 'ulimit -n'
	gives 0 "5 2048" cordon run --ulimit cpu=5 --ulimit=fsize=2097152 -- bash -c 'echo $(ulimit -t) $(ulimit -f)'
	refused "*'nofile=1:2' has two limits*--ulimit nofile=1:2*Write one value*" --ulimit nofile=1:2
	refused "*no ulimit 'nofle'*did you mean 'nofile'*" --ulimit nofle=1
	refused "*the ulimit rss is not enforced by this build*" --ulimit rss=1
}

@test "memory, memory-swap, pids-limit: read back from the host's side" {
	own_groups
	start -m 64m --pids-limit 5
	file_is $((64 << 20)) memory memory.limit_in_bytes memory.max
	file_is 6 pids pids.max pids.max
	stop
	start --memory 64MB --memory-swap 96m
	file_is $((64 << 20)) memory memory.limit_in_bytes memory.max
	if groups_is_v2 || [ -n "$(group_file memory memory.memsw.limit_in_bytes -)" ]; then
		file_is "$(on_version $((96 << 20)) $((32 << 20)))" memory memory.memsw.limit_in_bytes memory.swap.max
	fi
	stop
	start --memory-swap=64m --memory=64m
	if groups_is_v2 || [ -n "$(group_file memory memory.memsw.limit_in_bytes -)" ]; then
		file_is "$(on_version $((64 << 20)) 0)" memory memory.memsw.limit_in_bytes memory.swap.max
	fi
	stop
	# Without a limit there is none; -1 takes the profile's away.
	printf 'cordon: 1\nextends: default\nlimits: {pids: 4}\n' >p.yaml
	start --profile ./p.yaml
	file_is 5 pids pids.max pids.max
	stop
	gives 0 "9 processes" cordon run --profile ./p.yaml --pids-limit -1 -- "$ATTACK/processes" 9
	gives 0 "4 processes, then EAGAIN" cordon run --profile ./p.yaml -- "$ATTACK/processes" 9
}

@test "memory: at the limit it ends, and says by which flag" {
	own_groups
	says 137 "*limits.memory*command line*" cordon run --cgroup-parent "$group" -m 24m -- \
		sh -c 'exec 2>/dev/null; head -c 64M /dev/zero | tail -c 64M; sleep 60'
	gives 0 "" cordon run --cgroup-parent "$group" -m 256m -- sh -c 'head -c 64M /dev/zero | tail -c 64M >/dev/null'
}

@test "memory: mistakes" {
	refused "*limits.memory cannot be '64x'*-m 64x*" -m 64x
	refused "*no --memory says how much*" --memory-swap 64m
	refused "*'63m' is less than --memory*" --memory 64m --memory-swap 63m
	refused "*'0' is not memory and swap together*" --memory 64m --memory-swap 0
}

@test "cpus, cpuset-cpus, cpu-shares: read back from the host's side" {
	local first
	own_groups
	first=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
	start --cpus 0.5 --cpuset-cpus "$first" --cpu-shares 512
	if groups_is_v2; then
		file_is "50000 100000" - - cpu.max
		file_is 50 - - cpu.weight
	else
		[ "$(group_file cpu cpu.cfs_quota_us -)" -eq $(($(group_file cpu cpu.cfs_period_us -) / 2)) ]
		file_is 512 cpu cpu.shares -
	fi
	file_is "$first" cpuset cpuset.cpus cpuset.cpus
	stop
	start -c 1024
	file_is "$(on_version 1024 100)" cpu cpu.shares cpu.weight
	stop
	refused "*'1' are no shares*-c 1*" -c 1
}

@test "read-only: nothing of the root can be written to, whatever the profile says" {
	printf 'cordon: 1\nextends: default\nrootfs: {writable: {store: tmpfs, size: 1MiB}}\n' >p.yaml
	gives 0 "" cordon run --profile ./p.yaml -- touch /x
	gives 0 "" cordon run --profile ./p.yaml --read-only=false -- touch /x
	says 1 "*Read-only file system" cordon run --profile ./p.yaml --read-only -- touch /x
	says 1 "*Read-only file system" cordon run --profile ./p.yaml --read-only=true -- touch /x
	refused "*--read-only takes no value but*" --read-only=yes
}

@test "tmpfs: size, files, mode; nothing on it is executed unless exec is said" {
	local script='cp /bin/true /scratch/true && /scratch/true'
	gives 0 "1048576 751" cordon run --tmpfs /scratch:size=1m,mode=0751 -- \
		sh -c 'echo $(($(stat -fc "%b * %S" /scratch))) $(stat -c %a /scratch)'
	says 1 "*No space left on device*" cordon run --tmpfs /scratch:size=1m -- dd if=/dev/zero of=/scratch/x bs=64k count=32
	gives 0 "" cordon run --tmpfs /scratch:size=3m -- sh -c 'head -c 2M /dev/zero >/scratch/x'
	gives 0 "9" cordon run --tmpfs /scratch:nr_inodes=9 -- stat -fc %c /scratch
	says 126 "*Permission denied*" cordon run --tmpfs /scratch -- sh -c "$script"
	gives 0 "" cordon run --tmpfs /scratch:exec -- sh -c "$script"
	says 1 "*Read-only file system" cordon run --tmpfs /scratch:ro -- touch /scratch/x
	gives 0 "" cordon run --tmpfs /scratch -- touch /scratch/x
	# In the place of the profile's.
	gives 0 "1048576" cordon run --tmpfs /tmp:size=1m -- sh -c 'echo $(($(stat -fc "%b * %S" /tmp)))'
	refused "*no option 'suid' here*noexec holds unless exec is said*" --tmpfs /scratch:suid
	refused "*no option 'uid=0' here*" --tmpfs /scratch:uid=0
	refused "*'/proc/x' cannot be a target*" --tmpfs /proc/x
}

@test "capabilities: none are there, any may be dropped, none can be added" {
	gives 0 "0000000000000000" cordon run --cap-drop net_raw --cap-drop=ALL -- sh -c "sed -n 's/CapBnd:\t//p' /proc/self/status"
	refused "*unknown capability 'CAP_NET_RAWR'*" --cap-drop net_rawr
	refused "*capabilities.add with anything in it is not enforced by this build*--cap-add NET_ADMIN*hint: *--explain-denials*seccomp.call:NAME=why*" \
		--cap-add NET_ADMIN
	refused "*not enforced by this build*" --cap-add ALL
	refused "*--privileged is Docker's*Say what is needed*" --privileged
}

@test "security-opt: Docker's file of system calls, AppArmor's profile by a waiver, no_new_privs" {
	install -m 0644 "$repo/tests/bench/data/docker-default-seccomp.json" d.json
	gives 42 EPERM cordon run --security-opt seccomp=d.json -- "$ATTACK/call" mbind 0 0 0 0 0 0
	gives 0 ok cordon run -- "$ATTACK/call" mbind 0 0 0 0 0 0
	refused "*the waiver seccomp.off is not enforced by this build*hint: Allow what is missing by name: --waive 'seccomp.call:NAME=why'*" --security-opt seccomp=unconfined
	refused "*Docker's own filter is not built in here*" --security-opt seccomp=builtin
	gives 0 $'cordon: waived: apparmor (--security-opt apparmor=unconfined)\nx' \
		cordon run --security-opt apparmor=unconfined -- echo x
	refused "*apparmor*" --security-opt apparmor=no-such-profile
	gives 0 1 cordon run --security-opt no-new-privileges -- sh -c "sed -n 's/NoNewPrivs:\t//p' /proc/self/status"
	refused "*no_new_privs is always set*" --security-opt no-new-privileges=false
	refused "*the security option label is not enforced by this build*" --security-opt label=disable
	refused "*'aparmor=x' is no security option*did you mean 'apparmor'*" --security-opt aparmor=x
}

@test "init, network: what is so anyway may be said, and nothing else" {
	gives 0 "x" cordon run --init --network none -- echo x
	gives 0 "x" cordon run --net=none -- echo x
	gives 0 "" cordon run --network none -- sh -c 'tail -n +3 /proc/net/dev | grep -v "lo:" || true'
	refused "*process.init: false is not enforced by this build*--init=false*" --init=false
	if is_root; then refused "*no sandbox is called nobody*" --network container:nobody; fi
	is_root || refused "*network container:nobody: takes root in this build*" --network container:nobody
	refused "*the host?s network is a protection less*--waive *network.host=REASON*" --net host
}

@test "what is for kept sandboxes: refused where it is asked of one that is not" {
	gives 0 "x" cordon run --rm --stop-signal INT --stop-timeout 2 --label a=b -- echo x
	gives 0 "x" cordon run --restart no -- echo x
	refused "cordon: --restart: a run in the foreground is not started again*" --restart always
	refused "cordon: --restart: a run in the foreground*" --restart=on-failure:3
	refused "cordon: --restart: a run in the foreground*" --set restart=always
	refused "*restart cannot be 'often'*" --restart often
	refused "*--rm and --restart contradict*" --rm --restart always
	refused "cordon: --name -a: not a name*" --name -a
	# A profile's is not used, and no mistake.
	printf 'cordon: 1\nextends: default\nrestart: always\nlabels: {a: b}\nprocess: {stop_signal: INT}\n' >p.yaml
	gives 0 "x" cordon run --profile ./p.yaml -- echo x
	says 3 "" cordon run -q --profile ./p.yaml -- sh -c 'exit 3'
}

@test "explain shows what the flags set, and that they are the last layer" {
	own_groups
	printf 'a.b=c\n' >labels
	run -0 cordon explain --cgroup-parent "$group" --label-file labels -l x=1 --restart on-failure:3 --stop-signal RTMIN+3 --stop-timeout 1m \
		-m 64m --cpus 1.5 --ulimit nofile=99 -it -- true
	grep -qE '^  labels\.a\.b +c +labels:1$' <<<"$output"
	grep -qE '^  labels\.x +1 +command line$' <<<"$output"
	grep -qE '^  restart +on-failure:3 +command line$' <<<"$output"
	grep -qE '^  process\.stop_signal +RTMIN\+3 +command line$' <<<"$output"
	grep -qE '^  process\.stop_grace_period +1m +command line$' <<<"$output"
	grep -qE '^  limits\.memory +64MiB +command line$' <<<"$output"
	grep -qE '^  limits\.ulimits\.nofile +99 +command line$' <<<"$output"
}

@test "no flag of Docker's is taken and ignored: each that cordon has not is refused, with what to do" {
	local flag n=0
	while read -r flag; do
		refused "cordon: $flag*hint: ?*" "$flag" x
		[[ "$output" == *"is not enforced by this build"* || "$output" == *"cordon has no such flag"* ]]
		refused "cordon: $flag*hint: ?*" "$flag=x"
		n=$((n + 1))
	done < <(sed -n '/^## Not yet/,$ s/^| `\(-[a-zA-Z], \)\?\(--[a-z0-9-]*\)`.*/\2/p' "$repo/docs/DOCKER.md")
	[ "$n" -gt 50 ]
	refused "cordon: -a (--attach) is not enforced by this build*" -ita
	refused "cordon: unknown flag --memroy*Did you mean --memory*" --memroy 64m
}

@test "help: -h is the host name, as in Docker" {
	gives 0 "box" cordon run -h box -- hostname
	says 125 "cordon: -h wants a value: -h NAME*cordon run --help*" cordon run -h
	says 0 "*-h, --hostname NAME*-m, --memory SIZE*" cordon run --help
}
