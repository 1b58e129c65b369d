/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See condition.h. */
#include "cmd/condition.h"

#include "base/str.h"

enum { SMALL_VALUE = 9999 };

struct text {
	char *buf;
	size_t size;
	size_t len;
};

static void put(struct text *text, const char *word)
{
	text->len += str_format(text->buf + text->len, text->size - text->len, "%s", word);
}

static void put_value(struct text *text, uint64_t value)
{
	char word[32];

	str_format(word, sizeof(word), value > SMALL_VALUE ? "0x%llx" : "%llu",
		   (unsigned long long)value);
	put(text, word);
}

static void put_set(struct text *text, const struct spec_cond *cond)
{
	bool is_one = cond->n_values == 1;

	if (cond->op == COND_IN)
		put(text, is_one ? " is " : " is one of ");
	else
		put(text, is_one ? " is not " : " is none of ");
	for (size_t i = 0; i < cond->n_values; i++) {
		put(text, i > 0 ? " " : "");
		put_value(text, cond->values[i]);
	}
}

static void put_all(struct text *text, const struct spec_cond *cond)
{
	put(text, "argument ");
	put_value(text, cond->arg);
	switch (cond->op) {
	case COND_IN:
	case COND_NOT_IN:
		put_set(text, cond);
		return;
	case COND_MASKED_EQ:
	case COND_MASKED_NE:
		put(text, " & ");
		put_value(text, cond->mask);
		put(text, cond->op == COND_MASKED_EQ ? " is " : " is not ");
		put_value(text, cond->values[0]);
		return;
	case COND_RANGE:
	case COND_NOT_RANGE:
		put(text, cond->op == COND_RANGE ? " is " : " is not ");
		put_value(text, cond->values[0]);
		put(text, " to ");
		put_value(text, cond->values[1]);
		return;
	}
}

void condition_text(const struct spec_cond *cond, char *buf, size_t size)
{
	struct text text = {.buf = buf, .size = size};

	put_all(&text, cond);
}
