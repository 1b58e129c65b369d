# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Completion of cordon for bash. Made by `make docs` from the tables of commands, flags and keys.

_cordon_commands='run explain doctor profile image gc help'
_cordon_profile_commands='ls show check diff new keys'
_cordon_image_commands='import load pull save ls inspect rm prune'
declare -gA _cordon_flags=(
	['run']='--profile --set --waive --ro --rw -e -w -u --hostname --timeout --status-fd --fd --report -t -i --explain-denials --cgroup-parent --sample --top -q --help --'
	['explain']='--profile --set --waive --ro --rw -e -w -u --hostname --timeout --fd --cgroup-parent --calls --json --help --'
	['doctor']='--cgroup-parent --json --help '
	['profile']='--help'
	['profile ls']='--json --help'
	['profile show']='--json --help'
	['profile check']='--json --help'
	['profile diff']='--json --help'
	['profile new']='--help'
	['profile keys']='--json --help'
	['image']='--help'
	['image import']='-q --max-size --max-entries --help --'
	['image load']='-q --max-size --max-entries --help --'
	['image pull']='-q --max-size --max-entries --help --'
	['image save']='-q --max-size --max-entries --help --'
	['image ls']='--json --help'
	['image inspect']='--json --help'
	['image rm']='-q --help --'
	['image prune']='-q --help --'
	['gc']='--help'
	['help']='--help'
)
_cordon_keys='description= process.user= process.working_dir= process.environment. process.hostname= process.init= process.supplementary_groups= rootfs.from= rootfs.writable= rootfs.writable.store= rootfs.writable.size= rootfs.writable.inodes= volumes= secrets= seccomp.default= seccomp.unknown= seccomp.allow= seccomp.deny= seccomp.architectures= seccomp.docker_profile= capabilities.drop= capabilities.add= namespaces.share= apparmor= landlock= landlock.read= landlock.write= landlock.execute= landlock.connect_tcp= landlock.bind_tcp= limits.nproc= limits.wall_time= limits.pids= limits.memory= limits.swap= limits.cpus= limits.cpu_weight= limits.cpuset= limits.cpu_time= limits.idle_time= limits.output= limits.io.read= limits.io.write= limits.ulimits.nofile= limits.ulimits.fsize= limits.ulimits.core= limits.ulimits.stack= limits.ulimits.memlock= limits.ulimits.msgqueue= limits.ulimits.sigpending= limits.ulimits.rtprio= limits.ulimits.cpu= limits.ulimits.data= limits.ulimits.as= network.mode= waive.'
_cordon_waivers='seccomp.call: seccomp.architecture: host_root_write: apparmor= landlock='

# Those of WORDS that begin like the word at the cursor.
_cordon_reply() { # WORDS
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_cordon_files() {
	mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	compopt -o filenames 2>/dev/null || true
}

# A path where it has a slash, else the names that cordon knows here.
_cordon_profiles() {
	if [[ $cur == */* || $cur == .* ]]; then
		_cordon_files
	else
		_cordon_reply "$("${COMP_WORDS[0]}" profile ls 2>/dev/null | awk '{ print $1 }')"
	fi
}

# The value of a flag. False where the word before is none that takes one.
_cordon_value() { # FLAG
	case $1 in
	--profile) _cordon_profiles ;;
	--set)
		_cordon_reply "$_cordon_keys"
		compopt -o nospace 2>/dev/null || true
		;;
	--waive)
		_cordon_reply "$_cordon_waivers"
		compopt -o nospace 2>/dev/null || true
		;;
	--ro | --rw | --report | -w | --root) _cordon_files ;;
	-e) mapfile -t COMPREPLY < <(compgen -v -- "$cur") ;;
	-u | --hostname | --timeout | --status-fd | --fd) COMPREPLY=() ;;
	*) return 1 ;;
	esac
}

# The program and its arguments, behind `--`.
_cordon_program() { # INDEX-OF-THE-SEPARATOR
	if [ "$COMP_CWORD" -eq $(($1 + 1)) ]; then
		mapfile -t COMPREPLY < <(compgen -c -f -- "$cur" | sort -u)
	else
		_cordon_files
	fi
}

# Sets command ("run", "profile diff"), and separator where `--` stands before the cursor.
_cordon_command() {
	local i word
	command='' separator=''
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [ "$word" = -- ]; then
			separator=$i
			return
		fi
		if [ "$word" = --root ]; then
			i=$((i + 1))
			[ "${COMP_WORDS[i]}" != = ] || i=$((i + 1))
		elif [[ $word != -* ]]; then
			case $command in
			'') command=$word ;;
			profile | image | help) command+=" $word" ;;
			esac
		fi
	done
}

_cordon() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command separator
	COMPREPLY=()
	_cordon_command
	if [ -n "$separator" ]; then
		_cordon_program "$separator"
		return
	fi
	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	! _cordon_value "$prev" || return 0
	if [ -z "$command" ]; then
		_cordon_reply "$_cordon_commands --root --help --version"
		return
	fi
	if [[ $cur == -* ]]; then
		_cordon_reply "${_cordon_flags[$command]:---help}"
		return
	fi
	case $command in
	profile | 'help profile') _cordon_reply "$_cordon_profile_commands" ;;
	image | 'help image') _cordon_reply "$_cordon_image_commands" ;;
	'image import' | 'image load' | 'image save') _cordon_files ;;
	'image inspect' | 'image rm')
		_cordon_reply "$("${COMP_WORDS[0]}" image ls 2>/dev/null | awk 'NR > 1 { print $1 }')"
		;;
	help) _cordon_reply "$_cordon_commands" ;;
	'profile check') _cordon_files ;;
	'profile show' | 'profile diff') _cordon_profiles ;;
	'profile keys') _cordon_reply "${_cordon_keys//=/}" ;;
	esac
}

complete -F _cordon cordon
