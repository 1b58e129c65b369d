/* SPDX-License-Identifier: LGPL-2.1-or-later */
	.section .rodata
	.global init_image
	.global init_image_end
	.balign 16
init_image:
	.incbin INIT_IMAGE_FILE
init_image_end:
	.byte 0
	.section .note.GNU-stack,"",%progbits
