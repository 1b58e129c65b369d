# SPDX-License-Identifier: LGPL-2.1-or-later
# Packages from the mirror that the host uses, with source list, package lists and cache below
# $apt_dir: the host's own are read at most. Signatures are checked by apt. Works for every user.
#
#	apt_dir=DIR			where all of that lies
#	apt_arch=ARCH			an architecture that is not the host's; before mirror_prepare
#	mirror_prepare SUITE TYPE...	writes the source list and brings the package lists up to date
#	apt ARGUMENT...			apt-get with them
#	apt_query ARGUMENT...		apt-cache with them
# shellcheck shell=bash

# The first mirror of the host's that is not the one of security updates.
mirror() {
	{
		cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
			awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ "^[a-z+]+://") print $i }'
		cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
			awk '$1 == "URIs:" { for (i = 2; i <= NF; i++) print $i }'
		echo http://deb.debian.org/debian
	} | grep '/debian/*$' | head -n 1
}

with_own_lists() { # PROGRAM ARGUMENT...
	local of=()
	[ -z "${apt_arch:-}" ] || of=(-o "APT::Architecture=$apt_arch" -o "APT::Architectures=$apt_arch")
	"$1" -qq "${of[@]}" -o "Dir::Etc::sourcelist=$apt_dir/own.sources" -o Dir::Etc::sourceparts=/dev/null \
		-o "Dir::State=$apt_dir" -o Dir::State::status=/dev/null -o "Dir::Cache=$apt_dir/cache" \
		-o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=3 "${@:2}"
}

apt() {
	with_own_lists apt-get "$@"
}

apt_query() {
	with_own_lists apt-cache "$@"
}

mirror_prepare() { # SUITE TYPE...
	mkdir -p "$apt_dir"/{lists/partial,cache/archives/partial}
	printf '%s\n' "Types: ${*:2}" "URIs: $(mirror)" "Suites: $1" "Components: main" \
		"Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg" >"$apt_dir/own.sources"
	apt update
}
