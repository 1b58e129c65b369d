/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of flags, for options.c and what is printed from it. */
#ifndef CORDON_CMD_OPTIONS_TABLE_H
#define CORDON_CMD_OPTIONS_TABLE_H

#include "cmd/options.h"

enum option_target {
	TO_POLICY,  /* at: the enum policy_flag_kind */
	TO_TEXT,    /* at: the offset of a const char * in struct options */
	TO_TRUTH,   /* at: the offset of a bool; takes no value, or =true or =false */
	TO_UNTRUTH, /* likewise, the other way round */
	TO_NAME,
	TO_STATUS_FD,
	TO_FD,
	TO_CGROUP_PARENT,
	TO_SAMPLE,
};

struct option_def {
	const char *name;
	char letter;       /* 0: none */
	const char *value; /* NULL: takes none */
	enum option_target target;
	size_t at;
	unsigned of;      /* enum option_of */
	const char *help; /* NULL: another spelling, not listed */
};

extern const struct option_def options_table[];
extern const size_t options_n;

#endif
