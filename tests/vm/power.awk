# SPDX-License-Identifier: LGPL-2.1-or-later
# Reads what the machine of tests/vm/power printed (tests/vm/power_guest), boot after boot, each begun by
# "@ boot N", and compares what is there after a cut with what the commands had said before it.
# Prints "bad: ..." lines and a summary; exit code 1 where there was one of the former. needs: the
# operations that have to have been done at least once.
#
# Of each name: is_there (yes, maybe: its command had not returned; else no), id, restart, wanted.

function bad(text) {
	print "bad: boot " boot ": " text
	n_bad++
	if (!(boot in bad_boots)) {
		bad_boots[boot] = 1
		n_bad_boots++
	}
}

function key(name) {
	return world SUBSEP name
}

function forget(k) {
	delete is_there[k]
	delete id[k]
	delete restart[k]
	delete wanted[k]
}

function begins(operation, k, argument,   other) {
	under_way[world] = operation
	if (operation == "once")
		return
	if (operation ~ makes) {
		is_there[k] = "maybe"
		restart[k] = argument
		wanted[k] = operation ~ starts ? "maybe" : "stopped"
		# One that has its name is whole.
		if (operation == "restore")
			id[k] = $5
	} else if (operation == "rm") {
		is_there[k] = "maybe"
	} else if (operation == "rename") {
		other = key(argument)
		is_there[k] = is_there[other] = "maybe"
		id[other] = id[k]
		restart[other] = restart[k]
		wanted[other] = wanted[k]
		one_of[world] = $5 " " argument
	} else {
		wanted[k] = "maybe"
	}
}

function ends(operation, k, new_id,   names) {
	under_way[world] = ""
	done[operation]++
	n_done++
	if (operation ~ makes) {
		is_there[k] = "yes"
		id[k] = new_id
		if (operation ~ starts)
			wanted[k] = "running"
	} else if (operation == "once") {
		return
	} else if (operation == "rm") {
		forget(k)
	} else if (operation == "rename") {
		split(one_of[world], names)
		is_there[key(names[2])] = "yes"
		forget(k)
		one_of[world] = ""
	} else {
		wanted[k] = operation == "start" ? "running" : "stopped"
	}
}

function check_one(k, name) {
	if (!(k in is_there))
		bad(world ": " name " is there, and was removed, or goes with the boot, or was never made")
	else if (id[k] != "" && id[k] != seen_id[k])
		bad(world ": " name " is " seen_id[k] ", and was " id[k])
	else if (restart[k] != seen_restart[k])
		bad(world ": " name " has the policy " seen_restart[k] ", and was made with " restart[k])
	else if (wanted[k] != "maybe" && wanted[k] != seen_wanted[k])
		bad(world ": " name " is to be " seen_wanted[k] ", and was to be " wanted[k])
}

# What the program in it had flushed is there.
function holds(n) {
	if (n < synced)
		bad("the layer has lost the records " n + 1 " to " synced ", which were flushed")
	synced = n
	n_layers++
}

# What is there is true from now on.
function settled(   k, parts, names) {
	if (one_of[world] != "") {
		split(one_of[world], names)
		if ((key(names[1]) in seen_id) == (key(names[2]) in seen_id))
			bad(world ": of " names[1] " and " names[2] " there is to be one")
		one_of[world] = ""
	}
	for (k in is_there) {
		split(k, parts, SUBSEP)
		if (parts[1] != world)
			continue
		if (is_there[k] == "yes" && !(k in seen_id))
			bad(world ": " parts[2] " (" id[k] ") is lost: its command had returned")
		if (!(k in seen_id))
			forget(k)
	}
	for (k in seen_id) {
		split(k, parts, SUBSEP)
		if (parts[1] != world)
			continue
		check_one(k, parts[2])
		is_there[k] = "yes"
		id[k] = seen_id[k]
		restart[k] = seen_restart[k]
		wanted[k] = seen_wanted[k]
		n_records++
	}
	n_in_doubt += under_way[world] != ""
	under_way[world] = ""
}

function started(   k, parts, comes_back) {
	for (k in seen_id) {
		split(k, parts, SUBSEP)
		if (parts[1] != world)
			continue
		comes_back = wanted[k] == "running" && restart[k] ~ /^(always|unless-stopped)$/
		if (comes_back && !(k in runs))
			bad(world ": " parts[2] " did not come back: " restart[k])
		if (!comes_back && k in runs)
			bad(world ": " parts[2] " runs: " restart[k] ", " wanted[k])
		n_back += comes_back && k in runs
	}
}

BEGIN {
	makes = "^(create|run|again|fill|backup|restore)$"
	starts = "^(run|again)$"
}

$1 != "@" { next }
{ world = $2; k = key($4) }
$2 == "boot" {
	boot = $3
	n_boots++
	delete seen_id
	delete seen_restart
	delete seen_wanted
	delete runs
	next
}
$2 == "bad" || $3 == "bad" {
	sub(/^@ /, "")
	sub(/ bad /, ": ")
	bad($0)
	next
}
$2 == "ready" { n_ready++ }
$2 == "layer" {
	if ($3 == "holds")
		holds($4 + 0)
	else if ($3 == "synced" && $4 + 0 > synced)
		synced = $4 + 0
	next
}
$3 == "found" { n_found++ }
$3 == "sized" { n_sized++ }
$3 == "asked" { done[$4]++ }
$3 == "begin" { begins($4, key($5), $6) }
$3 == "end" { ends($4, key($5), $7) }
$3 == "has" { seen_id[k] = $5; seen_restart[k] = $6; seen_wanted[k] = $7 }
$3 == "runs" { runs[k] = 1 }
$3 == "settled" { settled() }
$3 == "started" { started() }

END {
	n = split(needs, names)
	for (i = 1; i <= n; i++) {
		if (!done[names[i]])
			bad("never done: " names[i])
		counts = counts (i > 1 ? ", " : "") names[i] " " done[names[i]] + 0
	}
	printf "%d boots, %d cuts during recovery; %d operations had returned, %d were under way (%s)\n", n_boots,
		n_boots - n_ready, n_done, n_in_doubt, counts
	printf "%d records read after cuts, %d sandboxes came back, %d remains found before gc\n", n_records, n_back, n_found
	printf "%d times a volume of limited size was there after a cut\n", n_sized
	printf "the layer was there after %d boots, with %d records at the end\n", n_layers, synced
	if (n_boots > 2 && (n_layers < 2 || synced == 0))
		bad("the layer was never looked at, or nothing was written to it")
	if (n_bad > 0)
		printf "%d faults, in %d of %d boots\n", n_bad, n_bad_boots, n_boots
	exit n_bad > 0
}
