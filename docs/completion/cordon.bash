# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Completion of cordon for bash. Made by `make docs` from the tables of commands, flags and keys.

_cordon_commands='run explain create start stop exec cp diff commit export events stats top update restart kill wait pause unpause port rename rm prune ps inspect attach logs doctor profile image network volume gc help'
_cordon_profile_commands='ls show check diff new keys'
_cordon_image_commands='import load pull save ls inspect rm prune'
_cordon_network_commands='create ls inspect connect disconnect update rm prune'
_cordon_volume_commands='create ls inspect rm prune backup restore clone'
declare -gA _cordon_flags=(
	['run']='--profile --set --waive --ro --rw --timeout -e --env --env-file -w --workdir -u --user -h --hostname --init -m --memory --memory-swap --pids-limit --cpus --cpuset-cpus -c --cpu-shares --ulimit --cap-add --cap-drop --security-opt --read-only --storage-opt --tmpfs -v --volume --mount --volumes-from --network --network-alias --link --ip --ip6 --mac-address --add-host --dns --dns-search --dns-option -p --publish -P --publish-all --expose --egress-rate --egress-burst --ingress-rate --ingress-burst --restart --stop-signal --stop-timeout -l --label --label-file --entrypoint --name -d --detach --rm -i --interactive -t --tty --cgroup-parent --status-fd --fd --report --explain-denials --sample --top -q --quiet --detach-keys --help --'
	['explain']='--profile --set --waive --ro --rw --timeout -e --env --env-file -w --workdir -u --user -h --hostname --init -m --memory --memory-swap --pids-limit --cpus --cpuset-cpus -c --cpu-shares --ulimit --cap-add --cap-drop --security-opt --read-only --storage-opt --tmpfs -v --volume --mount --volumes-from --network --network-alias --link --ip --ip6 --mac-address --add-host --dns --dns-search --dns-option -p --publish -P --publish-all --expose --egress-rate --egress-burst --ingress-rate --ingress-burst --restart --stop-signal --stop-timeout -l --label --label-file --entrypoint --cgroup-parent --fd --calls --json --help --'
	['create']='--profile --set --waive --ro --rw --timeout -e --env --env-file -w --workdir -u --user -h --hostname --init -m --memory --memory-swap --pids-limit --cpus --cpuset-cpus -c --cpu-shares --ulimit --cap-add --cap-drop --security-opt --read-only --storage-opt --tmpfs -v --volume --mount --volumes-from --network --network-alias --link --ip --ip6 --mac-address --add-host --dns --dns-search --dns-option -p --publish -P --publish-all --expose --egress-rate --egress-burst --ingress-rate --ingress-burst --restart --stop-signal --stop-timeout -l --label --label-file --entrypoint --name --rm -i --interactive -t --tty --cgroup-parent -q --quiet --help --'
	['start']='--all -a --attach -i --interactive --detach-keys --sig-proxy --help'
	['stop']='--all -t --timeout -s --signal --help'
	['exec']='-e --env --env-file -w --workdir -u --user -d --detach -i --interactive -t --tty -q --quiet --help --'
	['cp']='-a --archive -L --follow-link -q --quiet --help'
	['diff']='--json --help'
	['commit']='-a --author -c --change -m --message -p --pause --max-size --max-entries -q --quiet --help'
	['export']='-o --output --help'
	['events']='--since --until -f --filter --format --json --help'
	['stats']='-a --all --no-stream --format --json --help'
	['top']='-o --columns --help'
	['update']='--set -m --memory --memory-swap --pids-limit --cpus --cpuset-cpus -c --cpu-shares --storage-opt --egress-rate --egress-burst --ingress-rate --ingress-burst --restart --help --'
	['restart']='-t --timeout -s --signal --help'
	['kill']='-s --signal --help'
	['wait']='--help'
	['pause']='--help'
	['unpause']='--help'
	['port']='--help'
	['rename']='--help'
	['rm']='-f --force -v --volumes --help'
	['prune']='-f --force --filter --help'
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
	['image']='--help'
	['image import']='--max-size --max-entries -q --quiet --help'
	['image load']='--max-size --max-entries -q --quiet -i --input --help'
	['image pull']='--max-size --max-entries -q --quiet --help'
	['image save']='-q --quiet -o --output --help'
	['image ls']='-a --all -f --filter --format --no-trunc -q --quiet --json --help'
	['image inspect']='--json --help'
	['image rm']='-q --quiet -f --force --help'
	['image prune']='-q --quiet -a --all --filter -f --force --help'
	['network']='--help'
	['network create']='-d --driver --subnet --gateway --ip-range --internal --icc --mtu --bridge --ipv6 --egress-rate --egress-burst --ingress-rate --ingress-burst --label --help'
	['network ls']='-q --quiet --no-trunc -f --filter --json --help'
	['network inspect']='--help'
	['network connect']='--alias --ip --ip6 --link --help'
	['network disconnect']='-f --force --help'
	['network update']='--egress-rate --egress-burst --ingress-rate --ingress-burst --help'
	['network rm']='-f --force --help'
	['network prune']='-f --force --filter --help'
	['volume']='--help'
	['volume create']='-d --driver --label -o --opt --size --inodes --help'
	['volume ls']='-q --quiet -f --filter --format --json --help'
	['volume inspect']='-f --format --help'
	['volume rm']='-f --force --help'
	['volume prune']='-a --all -f --force --filter --help'
	['volume backup']='--live -q --quiet --help'
	['volume restore']='--replace --no-verify --max-size --max-entries -q --quiet --help'
	['volume clone']='--live -q --quiet --help'
	['gc']='--help'
	['help']='--help'
)
declare -gA _cordon_valued=(
	['run']='--profile --set --waive --ro --rw --timeout -e --env --env-file -w --workdir -u --user -h --hostname -m --memory --memory-swap --pids-limit --cpus --cpuset-cpus -c --cpu-shares --ulimit --cap-add --cap-drop --security-opt --storage-opt --tmpfs -v --volume --mount --volumes-from --network --net --network-alias --net-alias --link --ip --ip6 --mac-address --add-host --dns --dns-search --dns-option --dns-opt -p --publish --expose --egress-rate --egress-burst --ingress-rate --ingress-burst --restart --stop-signal --stop-timeout -l --label --label-file --entrypoint --name --cgroup-parent --status-fd --fd --report --sample --detach-keys'
	['explain']='--profile --set --waive --ro --rw --timeout -e --env --env-file -w --workdir -u --user -h --hostname -m --memory --memory-swap --pids-limit --cpus --cpuset-cpus -c --cpu-shares --ulimit --cap-add --cap-drop --security-opt --storage-opt --tmpfs -v --volume --mount --volumes-from --network --net --network-alias --net-alias --link --ip --ip6 --mac-address --add-host --dns --dns-search --dns-option --dns-opt -p --publish --expose --egress-rate --egress-burst --ingress-rate --ingress-burst --restart --stop-signal --stop-timeout -l --label --label-file --entrypoint --cgroup-parent --fd'
	['create']='--profile --set --waive --ro --rw --timeout -e --env --env-file -w --workdir -u --user -h --hostname -m --memory --memory-swap --pids-limit --cpus --cpuset-cpus -c --cpu-shares --ulimit --cap-add --cap-drop --security-opt --storage-opt --tmpfs -v --volume --mount --volumes-from --network --net --network-alias --net-alias --link --ip --ip6 --mac-address --add-host --dns --dns-search --dns-option --dns-opt -p --publish --expose --egress-rate --egress-burst --ingress-rate --ingress-burst --restart --stop-signal --stop-timeout -l --label --label-file --entrypoint --name --cgroup-parent'
	['start']='--detach-keys'
	['stop']='-t --timeout -s --signal'
	['exec']='-e --env --env-file -w --workdir -u --user'
	['cp']=''
	['diff']=''
	['commit']='-a --author -c --change -m --message --max-size --max-entries'
	['export']='-o --output'
	['events']='--since --until -f --filter --format'
	['stats']='--format'
	['top']='-o --columns'
	['update']='--set -m --memory --memory-swap --pids-limit --cpus --cpuset-cpus -c --cpu-shares --storage-opt --egress-rate --egress-burst --ingress-rate --ingress-burst --restart'
	['restart']='-t --timeout -s --signal'
	['kill']='-s --signal'
	['wait']=''
	['pause']=''
	['unpause']=''
	['port']=''
	['rename']=''
	['rm']=''
	['prune']='--filter'
	['ps']='-n --last -f --filter --format'
	['inspect']='-f --format'
	['attach']='--detach-keys'
	['logs']='-n --tail --since --until'
	['doctor']='--cgroup-parent'
	['profile']=''
	['profile ls']=''
	['profile show']=''
	['profile check']=''
	['profile diff']=''
	['profile new']=''
	['profile keys']=''
	['image']=''
	['image import']='--max-size --max-entries'
	['image load']='--max-size --max-entries -i --input'
	['image pull']='--max-size --max-entries'
	['image save']='-o --output'
	['image ls']='-f --filter --format'
	['image inspect']=''
	['image rm']=''
	['image prune']='--filter'
	['network']=''
	['network create']='-d --driver --subnet --gateway --ip-range --mtu --bridge --egress-rate --egress-burst --ingress-rate --ingress-burst --label'
	['network ls']='-f --filter'
	['network inspect']=''
	['network connect']='--alias --ip --ip6 --link'
	['network disconnect']=''
	['network update']='--egress-rate --egress-burst --ingress-rate --ingress-burst'
	['network rm']=''
	['network prune']='--filter'
	['volume']=''
	['volume create']='-d --driver --label -o --opt --size --inodes'
	['volume ls']='-f --filter --format'
	['volume inspect']='-f --format'
	['volume rm']=''
	['volume prune']='--filter'
	['volume backup']=''
	['volume restore']='--max-size --max-entries'
	['volume clone']=''
	['gc']=''
	['help']=''
)
declare -gA _cordon_words=(
	['start']=many
	['stop']=many
	['exec']=program
	['cp']=one
	['diff']=one
	['commit']=one
	['export']=one
	['stats']=many
	['top']=one
	['update']=many
	['restart']=many
	['kill']=many
	['wait']=many
	['pause']=many
	['unpause']=many
	['port']=one
	['rename']=one
	['rm']=many
	['inspect']=many
	['attach']=one
	['logs']=one
)
_cordon_keys='description= process.user= process.working_dir= process.environment. process.hostname= process.stop_signal= process.stop_grace_period= process.init= process.supplementary_groups= rootfs.from= rootfs.writable= rootfs.writable.store= rootfs.writable.size= rootfs.writable.inodes= rootfs.writable.preallocate= volumes= secrets= seccomp.default= seccomp.unknown= seccomp.allow= seccomp.deny= seccomp.architectures= seccomp.docker_profile= capabilities.drop= capabilities.add= namespaces.share= apparmor= landlock= landlock.read= landlock.write= landlock.execute= landlock.connect_tcp= landlock.bind_tcp= limits.nproc= limits.wall_time= limits.pids= limits.memory= limits.swap= limits.cpus= limits.cpu_weight= limits.cpuset= limits.cpu_time= limits.idle_time= limits.output= limits.io.read= limits.io.write= limits.ulimits.nofile= limits.ulimits.fsize= limits.ulimits.core= limits.ulimits.stack= limits.ulimits.memlock= limits.ulimits.msgqueue= limits.ulimits.sigpending= limits.ulimits.rtprio= limits.ulimits.cpu= limits.ulimits.data= limits.ulimits.as= network.mode= network.ip= network.ip6= network.mac= network.aliases= network.links= network.networks= network.hosts= network.dns= network.dns_search= network.dns_options= network.publish= network.publish_all= network.expose= network.egress.rate= network.egress.burst= network.egress.default= network.egress.allow= network.egress.deny= network.ingress.rate= network.ingress.burst= restart= labels. logging.max_size= logging.max_files= waive.'
_cordon_waivers='seccomp.call: seccomp.architecture: host_root_write: apparmor= landlock= network.host= network.egress='

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
_cordon_sandboxes() { # FLAG-OF-PS...
	_cordon_reply "$("${COMP_WORDS[0]}" "${root[@]}" ps "$@" --format '{{.Names}} {{.ID}}' 2>/dev/null)"
}

# Those that the command can do something with.
_cordon_sandboxes_of() { # COMMAND
	case $1 in
	exec | stop | kill | pause | attach | top) _cordon_sandboxes ;;
	unpause) _cordon_sandboxes --filter status=paused ;;
	*) _cordon_sandboxes -a ;;
	esac
}

_cordon_is_valued() { # FLAG
	[[ $1 == --root || " ${_cordon_valued[${command:-help}]:-} " == *" $1 "* ]]
}

# The value of a flag that takes one.
_cordon_value() { # FLAG
	case $1 in
	--profile)
		_cordon_profiles
		;;
	--set | -o | --opt)
		_cordon_reply "$_cordon_keys"
		compopt -o nospace 2>/dev/null || true
		;;
	--waive)
		_cordon_reply "$_cordon_waivers"
		compopt -o nospace 2>/dev/null || true
		;;
	--ro | --rw | --env-file | -w | --workdir | --label-file | --report | --output | -i | --input | --root)
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
	--stop-signal | -s | --signal)
		_cordon_reply 'TERM KILL HUP INT QUIT USR1 USR2 STOP CONT WINCH'
		;;
	-f | --filter)
		_cordon_reply 'id= name= label= status= exited= before= since= ancestor= restart='
		compopt -o nospace 2>/dev/null || true
		;;
	--timeout | -u | --user | -h | --hostname | -m | --memory | --memory-swap | --pids-limit | --cpus | --cpuset-cpus | -c | --cpu-shares | --ulimit | --cap-add | --cap-drop | --security-opt | --storage-opt | --tmpfs | -v | --volume | --mount | --volumes-from | --network-alias | --net-alias | --link | --ip | --ip6 | --mac-address | --add-host | --dns | --dns-search | --dns-option | --dns-opt | -p | --publish | --expose | --egress-rate | --egress-burst | --ingress-rate | --ingress-burst | --stop-timeout | -l | --label | --entrypoint | --name | --cgroup-parent | --status-fd | --fd | --sample | -n | --tail | --since | --until | --detach-keys | --last | --format | -t | -a | --author | --change | --message | --max-size | --max-entries | -d | --driver | --subnet | --gateway | --ip-range | --mtu | --bridge | --alias | --size | --inodes)
		COMPREPLY=()
		;;
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

# Sets command ("run", "profile diff"), root (its flag), n_words behind the command, and separator,
# behind which the program stands, where that is before the cursor.
_cordon_command() {
	local i word
	command='' separator='' n_words=0 root=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [ "$word" = -- ]; then
			separator=$i
			return
		fi
		if _cordon_is_valued "$word"; then
			i=$((i + 1))
			[ "${COMP_WORDS[i]}" != = ] || i=$((i + 1))
			[ "$word" != --root ] || root=(--root "${COMP_WORDS[i]}")
		elif [[ $word != -* && $word != = ]]; then
			case $command in
			'') command=$word ;;
			profile | image | help) command+=" $word" ;;
			*) n_words=$((n_words + 1)) ;;
			esac
			if [[ -n $command && ${_cordon_words[$command]:-} == program && $n_words -eq 1 ]]; then
				separator=$i
				return
			fi
		fi
	done
}

_cordon() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command separator n_words root
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
	if _cordon_is_valued "$prev"; then
		_cordon_value "$prev"
		return 0
	fi
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
		_cordon_reply "$("${COMP_WORDS[0]}" "${root[@]}" image ls 2>/dev/null | awk 'NR > 1 { print $1 }')"
		;;
	help) _cordon_reply "$_cordon_commands" ;;
	'profile check') _cordon_files ;;
	'profile show' | 'profile diff') _cordon_profiles ;;
	'profile keys') _cordon_reply "${_cordon_keys//=/}" ;;
	*)
		case ${_cordon_words[$command]:-}$n_words in
		many* | program0 | one0) _cordon_sandboxes_of "$command" ;;
		esac
		;;
	esac
}

complete -F _cordon cordon
