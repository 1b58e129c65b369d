# SPDX-License-Identifier: LGPL-2.1-or-later
# Docker's seccomp file as the object linux.seccomp of OCI's runtime specification, decided as dockerd
# decides it before it calls runc: a reading of the file that shares nothing with policy/docker.c.
#
#	$arch	GOARCH of the host, as `includes` and `excludes` call it: "amd64"
#	$native	the same as archMap calls it: "SCMP_ARCH_X86_64"
#	$caps	the bounding set of the container: ["CAP_CHOWN", ...]
#	$kernel	the running kernel: "6.1"

def is_reached: (split(".") | map(tonumber)) <= ($kernel | split(".") | map(tonumber));

# includes: one of the architectures, all of the capabilities. excludes: none of either.
def holds:
	(.includes // {}) as $in | (.excludes // {}) as $out
	| (($in.arches // []) | length == 0 or any(. == $arch))
	and (($in.caps // []) - $caps == [])
	and ($in.minKernel == null or ($in.minKernel | is_reached))
	and (($out.arches // []) | all(. != $arch))
	and (($out.caps // []) - $caps == ($out.caps // []))
	and ($out.minKernel == null or ($out.minKernel | is_reached | not));

{
	defaultAction,
	defaultErrnoRet,
	architectures: [.archMap[] | select(.architecture == $native) | .architecture, (.subArchitectures // [])[]],
	syscalls: [.syscalls[] | select(holds)
		| {names, action, args, errnoRet} | with_entries(select(.value != null))],
} | with_entries(select(.value != null))
