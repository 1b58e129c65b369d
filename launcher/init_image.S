/* SPDX-License-Identifier: LGPL-2.1-or-later */
	.section .rodata
	.global init_image
	.global init_image_size
	.balign 16
init_image:
	.incbin INIT_IMAGE_FILE
	.balign 4
init_image_size:
	.long init_image_size - init_image /* with padding, which the loader ignores */
	.section .note.GNU-stack,"",%progbits
