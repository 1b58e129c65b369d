# SPDX-License-Identifier: LGPL-2.1-or-later
# How a virtual machine is started: shared by tests/vm/run and tests/vm/power.
#
#	machine_prepare SERIES LOG [ACCEL]	sets `image` (its disk), `qemu` (the command, whose standard output is the
#					machine's second serial port) and `append` (the kernel's command line)
# shellcheck shell=bash disable=SC2034 # who reads this file uses what it sets

machine_prepare() { # SERIES LOG [ACCEL]
	local vm=$PWD/build/vm
	image=$vm/root.img
	case $1 in
	*-arm64)
		image=$vm/root-arm64.img
		append="console=ttyAMA0 vm_tap=ttyS0"
		# The plain kind of pointer authentication: the other one is slow to emulate.
		qemu=("$PWD/build/cross/tools/usr/bin/qemu-system-aarch64" -machine virt -cpu 'max,pauth-impdef=on'
			-serial "file:$2" -chardev 'stdio,id=tap' -device 'pci-serial,chardev=tap')
		;;
	*)
		append="console=ttyS0 vm_tap=ttyS1"
		# cx16: with one processor, qemu 7.2 spoils the flags after cmpxchg16b, which crashes Linux 6.12.
		qemu=(qemu-system-x86_64 -cpu 'max,-cx16' -serial "file:$2" -serial stdio)
		;;
	esac
	# One processor: two that share what the host has left wait for each other's locks.
	qemu+=(-accel "${3:-tcg,thread=multi}" -smp 1 -m 1024 -no-reboot -nodefaults -display none
		-kernel "$vm/kernel-$1/vmlinuz" -initrd "$vm/initramfs.$1"
		-drive "file=$image,format=raw,if=virtio,snapshot=on")
	# panic: a machine that crashes ends at once. mitigations, init_on_alloc: slow, and of no use here.
	# no_timer_check: on a busy host the virtual timer looks broken, and the kernel gives up.
	append="$append quiet panic=-1 mitigations=off init_on_alloc=0 no_timer_check lsm=landlock,lockdown,yama,apparmor,bpf"
	if [ ! -e "$image" ] || [ ! -e "$vm/initramfs.$1" ]; then
		echo "first: tests/vm/image $1" >&2
		return 2
	fi
}
