/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * THE table of policy keys. A key exists if it stands here; the reference, the man page and the
 * JSON Schema of profiles are printed from it.
 */
#ifndef CORDON_POLICY_KEYS_H
#define CORDON_POLICY_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/ctx.h"
#include "policy/doc.h"
#include "policy/spec.h"

enum policy_key_type {
	KEY_MAP,         /* its keys stand in the table, below its path */
	KEY_FREE_MAP,    /* any names; the values are text ("path.*") */
	KEY_LIST,        /* items: "path[]" */
	KEY_TEXT_OR_MAP, /* a short form, or a map with keys below its path */
	KEY_TEXT,
	KEY_WORD, /* one of `words` */
	KEY_NUMBER,
	KEY_SIZE,
	KEY_DURATION,
	KEY_DECIMAL,  /* 1.5; counted in millionths */
	KEY_RATE,     /* a size and "/s" */
	KEY_BIT_RATE, /* "10mbit" */
	KEY_BOOL,
	KEY_MODE,
	KEY_ANY, /* its handler looks into it */
};

enum policy_key_flag {
	KEY_LATER = 1 << 0,         /* known, but not enforced by this build: refused */
	KEY_UNLIMITED = 1 << 1,     /* "unlimited" is a value */
	KEY_ONLY_EMPTY = 1 << 2,    /* a list; items are not enforced by this build */
	KEY_WHEN_POSSIBLE = 1 << 3, /* may stand below when_possible, too */
};

struct policy_key {
	const char *path; /* "limits.ulimits.nofile", "volumes[].type", "process.environment.*" */
	enum policy_key_type type;
	unsigned flags;
	const char *words; /* KEY_WORD: "a|b"; else NULL */
	const char
		*later;  /* words that are known but not enforced by this build; "*": all others */
	const char *doc; /* one line */
	/* Puts a checked value into the spec; NULL where resolve_*.c reads the merged tree itself.
	 */
	void (*apply)(struct policy_ctx *ctx, const struct policy_key *key,
		      const struct policy_node *node, struct sandbox_spec *spec);
	size_t place; /* for apply: an offset into struct sandbox_spec, or an RLIMIT_* */
};

extern const struct policy_key policy_keys[];
extern const size_t policy_n_keys;

/* Whether word stands in a list "a|b|c"; NULL is an empty one. */
bool keys_has_word(const char *words, const char *word);

/* The row of a path, NULL where there is none. */
const struct policy_key *keys_find(const char *path);

/* Whether key stands directly below the map at parent ("" for the top). */
bool keys_is_child(const struct policy_key *key, const char *parent);

/* What a value looks like: "map", "size". For --json: these names are stable. */
const char *keys_type_name(enum policy_key_type type);

/* The same for people, with the words and "unlimited": "none | tmpfs | map". Returns its length. */
size_t keys_type_text(const struct policy_key *key, char *buf, size_t size);

/* What of a key is known and refused, for people: "not enforced yet", "not yet: bridge, host". ""
 * where all of it is enforced. Returns its length. */
size_t keys_later_text(const struct policy_key *key, char *buf, size_t size);

/*
 * Checks one layer's tree against the table: names, places, types, units, and what this build does
 * not enforce. Everything wrong is reported and taken out of the tree, so that later steps see only
 * values of the right form.
 */
void keys_check(struct policy_ctx *ctx, struct policy_node *root);

/* Calls apply for every value of the merged tree. */
void keys_apply(struct policy_ctx *ctx, const struct policy_node *root, struct sandbox_spec *spec);

/* A number, size or duration whose form keys_check has checked, as the key's type has it:
 * SPEC_UNLIMITED for "unlimited". */
uint64_t keys_number(const struct policy_key *key, const struct policy_node *node);

/* Names of the waivers ("seccomp.call:", with what stands for the rest behind a ':' or '.'), one
 * after the other; NULL behind the last. *ret_is_enforced: false where this build has not got what
 * it would waive. (waivers.c) */
const char *waivers_name(size_t index, bool *ret_is_enforced);

/* Reports that something known is not enforced by this build. */
struct policy_problem *keys_refuse_later(struct policy_ctx *ctx, struct policy_place place,
					 const char *what);

#endif
