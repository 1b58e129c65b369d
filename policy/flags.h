/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of policy/flags*.c share: a flag's text becomes the small tree that a profile
 * would have said it with. */
#ifndef CORDON_POLICY_FLAGS_H
#define CORDON_POLICY_FLAGS_H

#include "policy/ctx.h"
#include "policy/doc.h"

/* The tree of one flag, NULL where it is wrong, which is reported, or asks for nothing. */
typedef struct policy_node *flags_reader(struct policy_ctx *ctx, struct policy_source *source,
					 const char *text);

/* ---- flags.c ---- */
/* Where the flag's value begins. */
struct policy_place flags_place(const struct policy_source *source);
/* value below a map for each part of a dotted path; "+name" appends. NULL where value is. */
struct policy_node *flags_nest(struct policy_ctx *ctx, const char *path, struct policy_node *value);
/* A text at a dotted path. */
struct policy_node *flags_text_at(struct policy_ctx *ctx, const struct policy_source *source,
				  const char *path, const char *text);
/* Says that the flag's value is wrong. */
struct policy_problem *flags_refuse(struct policy_ctx *ctx, const struct policy_source *source,
				    const char *fmt, ...) printf_like(3, 4);

/* ---- flags_limits.c: Docker's numbers ---- */
/* A size as Docker reads it, where k, kb and kib are all 1024, with a unit that keys know; a text
 * that is none stays as it is. */
const char *flags_size(struct policy_ctx *ctx, const char *text);
flags_reader flags_memory;
flags_reader flags_memory_swap;
flags_reader flags_pids_limit;
flags_reader flags_cpus;
flags_reader flags_cpu_shares;
flags_reader flags_ulimit;
flags_reader flags_stop_timeout;

/* ---- flags_docker.c: Docker's other flags ---- */
flags_reader flags_cap_add;
flags_reader flags_cap_drop;
flags_reader flags_security_opt;
flags_reader flags_read_only;
flags_reader flags_tmpfs;
flags_reader flags_volume; /* flags_volume.c, as flags_mount */
flags_reader flags_mount;
flags_reader flags_taken;
flags_reader flags_label;
flags_reader flags_storage_opt;

/* ---- flags_network.c ---- */
flags_reader flags_network;
flags_reader flags_network_alias;
flags_reader flags_link;
flags_reader flags_add_host;
flags_reader flags_dns;
flags_reader flags_dns_search;
flags_reader flags_dns_option;
flags_reader flags_publish;
flags_reader flags_expose;

/* ---- flags_file.c: files of names and values ---- */
flags_reader flags_env_file;
flags_reader flags_label_file;

#endif
