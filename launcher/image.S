/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program as bytes: IMAGE[] and IMAGE_size, from IMAGE_FILE (Makefile). */
#define PASTE(a, b) a##b
#define SIZE_OF(name) PASTE(name, _size)
	.section .rodata
	.global IMAGE
	.global SIZE_OF(IMAGE)
	.balign 16
IMAGE:
	.incbin IMAGE_FILE
	.balign 4
SIZE_OF(IMAGE):
	.long SIZE_OF(IMAGE) - IMAGE /* with padding, which the loader ignores */
	.section .note.GNU-stack,"",%progbits
