# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Completion of cordon for bash. Made by `make docs` from the tables of commands, flags and keys.

_cordon_commands='run explain create start stop exec events stats top update restart kill wait pause unpause rename rm prune ps inspect attach logs doctor profile gc help'
_cordon_profile_commands='ls show check diff new keys'
declare -gA _cordon_flags=(
	['run']='--profile --set --waive --ro --rw --timeout -e --env --env-file -w --workdir -u --user -h --hostname --init -m --memory --memory-swap --pids-limit --cpus --cpuset-cpus -c --cpu-shares --ulimit --cap-add --cap-drop --security-opt --read-only --tmpfs --network --restart --stop-signal --stop-timeout -l --label --label-file --name -d --detach --rm -i --interactive -t --tty --cgroup-parent --status-fd --fd --report --explain-denials --sample --top -q --quiet --help --'
	['explain']='--profile --set --waive --ro --rw --timeout -e --env --env-file -w --workdir -u --user -h --hostname --init -m --memory --memory-swap --pids-limit --cpus --cpuset-cpus -c --cpu-shares --ulimit --cap-add --cap-drop --security-opt --read-only --tmpfs --network --restart --stop-signal --stop-timeout -l --label --label-file --cgroup-parent --fd --calls --json --help --'
	['create']='--profile --set --waive --ro --rw --timeout -e --env --env-file -w --workdir -u --user -h --hostname --init -m --memory --memory-swap --pids-limit --cpus --cpuset-cpus -c --cpu-shares --ulimit --cap-add --cap-drop --security-opt --read-only --tmpfs --network --restart --stop-signal --stop-timeout -l --label --label-file --name --rm -i --interactive -t --tty --cgroup-parent -q --quiet --help --'
	['start']='--all --help'
	['stop']='--all --timeout --signal --help'
	['exec']='-e --env --env-file -w --workdir -u --user -d --detach -i --interactive -t --tty -q --quiet --help --'
	['events']='--since --until -f --filter --format --json --help'
	['stats']='-a --all --no-stream --format --json --help'
	['top']='-o --columns --help'
	['update']='--set -m --memory --memory-swap --pids-limit --cpus --cpuset-cpus -c --cpu-shares --restart --help --'
	['restart']='--timeout --signal --help'
	['kill']='--signal --help'
	['wait']='--help'
	['pause']='--help'
	['unpause']='--help'
	['rename']='--help'
	['rm']='--force --volumes --help'
	['prune']='--force --filter --help'
	['ps']='-a --all -q --quiet -n --last -l --latest --no-trunc -f --filter --format --json -h --help --'
	['inspect']='-f --format --json -h --help --'
	['attach']='--detach-keys --no-stdin --sig-proxy --help --'
	['logs']='-f --follow -t --timestamps -n --tail --since --until --stdout --stderr --help --'
	['doctor']='--cgroup-parent --json --help '
	['profile']='--help'
	['profile ls']='--json --help'
	['profile show']='--json --help'
	['profile check']='--json --help'
	['profile diff']='--json --help'
	['profile new']='--help'
	['profile keys']='--json --help'
	['gc']='--help'
	['help']='--help'
)
_cordon_keys='description= process.user= process.working_dir= process.environment. process.hostname= process.stop_signal= process.stop_grace_period= process.init= process.supplementary_groups= rootfs.from= rootfs.writable= rootfs.writable.store= rootfs.writable.size= rootfs.writable.inodes= volumes= secrets= seccomp.default= seccomp.unknown= seccomp.allow= seccomp.deny= seccomp.architectures= seccomp.docker_profile= capabilities.drop= capabilities.add= namespaces.share= apparmor= landlock= landlock.read= landlock.write= landlock.execute= landlock.connect_tcp= landlock.bind_tcp= limits.nproc= limits.wall_time= limits.pids= limits.memory= limits.swap= limits.cpus= limits.cpu_weight= limits.cpuset= limits.cpu_time= limits.idle_time= limits.output= limits.io.read= limits.io.write= limits.ulimits.nofile= limits.ulimits.fsize= limits.ulimits.core= limits.ulimits.stack= limits.ulimits.memlock= limits.ulimits.msgqueue= limits.ulimits.sigpending= limits.ulimits.rtprio= limits.ulimits.cpu= limits.ulimits.data= limits.ulimits.as= network.mode= restart= labels. logging.max_size= logging.max_files= waive.'
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

# Names and ids of what is kept.
_cordon_sandboxes() {
	_cordon_reply "$("${COMP_WORDS[0]}" ps -a --format '{{.Names}} {{.ID}}' 2>/dev/null)"
}

# The value of a flag. False where the word before is none that takes one.
_cordon_value() { # FLAG
	case $1 in
	--profile)
		_cordon_profiles
		;;
	--set)
		_cordon_reply "$_cordon_keys"
		compopt -o nospace 2>/dev/null || true
		;;
	--waive)
		_cordon_reply "$_cordon_waivers"
		compopt -o nospace 2>/dev/null || true
		;;
	--ro | --rw | --env-file | -w | --workdir | --label-file | --report | --root)
		_cordon_files
		;;
	-e | --env)
		mapfile -t COMPREPLY < <(compgen -v -- "$cur")
		;;
	--restart)
		_cordon_reply 'no on-failure always unless-stopped'
		;;
	--network | --net)
		_cordon_reply none
		;;
	-f | --filter)
		_cordon_reply 'id= name= label= status= exited= before= since= ancestor= restart='
		compopt -o nospace 2>/dev/null || true
		;;
	--timeout | -u | --user | -h | --hostname | -m | --memory | --memory-swap | --pids-limit | --cpus | --cpuset-cpus | -c | --cpu-shares | --ulimit | --cap-add | --cap-drop | --security-opt | --tmpfs | --stop-signal | --stop-timeout | -l | --label | --name | --cgroup-parent | --status-fd | --fd | --sample | -n | --tail | --since | --until | --detach-keys | --last | --format)
		COMPREPLY=()
		;;
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
			profile | help) command+=" $word" ;;
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
	help) _cordon_reply "$_cordon_commands" ;;
	inspect | start | stop | rm) _cordon_sandboxes ;;
	'profile check') _cordon_files ;;
	'profile show' | 'profile diff') _cordon_profiles ;;
	'profile keys') _cordon_reply "${_cordon_keys//=/}" ;;
	esac
}

complete -F _cordon cordon
