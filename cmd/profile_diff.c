/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon profile diff A B`: how two profiles differ once everything inherited is in place. Values
 * are compared as `explain` prints them, system calls by what they are answered.
 */
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/condition.h"
#include "cmd/document.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "cmd/verdict.h"
#include "policy/arch.h"
#include "policy/constants.h"
#include "policy/syscalls.h"

enum { EXIT_DIFFERS = 1, ANSWER_MAX = 1024, VALUE_AT = 44, NARROW_VALUE_AT = 30 };

/* Where the differences go: text, or a document. */
struct output {
	struct json *json; /* NULL: text */
	size_t columns;
	size_t n; /* how many there were */
};

/* One side of a difference. text NULL: not there. */
struct side {
	const char *text;
	struct spec_origin origin;
	bool is_default; /* a call whose answer is that of seccomp.default, whose origin it has */
};

/* ---- one difference ---- */

static void put_side(struct json *json, const char *name, const struct side *side)
{
	if (side->text == NULL) {
		json_null(json, name);
		return;
	}
	json_open(json, name, '{');
	json_text(json, "value", side->text);
	document_origin(json, side->origin);
	json_close(json, '}');
}

static void print_side(const struct output *out, char sign, const struct side *side)
{
	size_t at = out->columns > 0 ? NARROW_VALUE_AT : VALUE_AT;
	char left[ANSWER_MAX + 16];
	char origin[512];
	char where[sizeof(origin) + 32];

	if (side->text == NULL)
		return;
	str_format(left, sizeof(left), "    %c %s", sign, side->text);
	if (out->columns > 0 && table_width(left) >= at) {
		/* The value is the long one here. */
		str_format(left, sizeof(left), "    %c ", sign);
		table_row(out->columns, 6, left, side->text);
		left[0] = '\0';
	}
	print_origin(side->origin, origin, sizeof(origin));
	str_format(where, sizeof(where), "%s%s", side->is_default ? "seccomp.default, " : "",
		   origin);
	table_row(out->columns, at, left, where);
}

static void put_difference(struct output *out, const char *name, const struct side *a,
			   const struct side *b)
{
	out->n++;
	if (out->json == NULL) {
		print_out("  %s\n", name);
		print_side(out, '-', a);
		print_side(out, '+', b);
		return;
	}
	json_open(out->json, NULL, '{');
	json_text(out->json, "name", name);
	put_side(out->json, "a", a);
	put_side(out->json, "b", b);
	json_close(out->json, '}');
}

/* ---- values ---- */

static struct side value_of(const struct sandbox_spec *spec, const char *key)
{
	const struct spec_provenance *p = &spec->provenance;

	for (size_t i = 0; i < p->n_values; i++)
		if (str_equal(p->values[i].key, key))
			return (struct side){.text = p->values[i].value,
					     .origin = p->values[i].origin};
	return (struct side){.text = NULL};
}

/* What each file says of itself differs always and decides nothing. */
static bool is_about_file(const char *key)
{
	return str_equal(key, "description") || str_equal(key, "extends") ||
	       str_equal(key, "cordon");
}

static void diff_values(struct output *out, const struct sandbox_spec *spec_a,
			const struct sandbox_spec *spec_b)
{
	const struct spec_provenance *a = &spec_a->provenance, *b = &spec_b->provenance;

	for (size_t i = 0; i < a->n_values; i++) {
		const struct spec_value *value = &a->values[i];
		struct side left = {.text = value->value, .origin = value->origin};
		struct side right = value_of(spec_b, value->key);

		if (!is_about_file(value->key) &&
		    (right.text == NULL || !str_equal(left.text, right.text)))
			put_difference(out, value->key, &left, &right);
	}
	for (size_t i = 0; i < b->n_values; i++) {
		const struct spec_value *value = &b->values[i];
		struct side none = {.text = NULL};
		struct side right = {.text = value->value, .origin = value->origin};

		if (!is_about_file(value->key) && value_of(spec_a, value->key).text == NULL)
			put_difference(out, value->key, &none, &right);
	}
}

/* ---- system calls ---- */

struct text {
	char *buf;
	size_t size;
	size_t len;
};

static void add(struct text *text, const char *fmt, ...) printf_like(2, 3);

static void add(struct text *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text->len += str_vformat(text->buf + text->len, text->size - text->len, fmt, ap);
	va_end(ap);
}

static void add_action(struct text *text, struct spec_action action)
{
	char buf[64];

	add(text, "%s", policy_action_text(action, buf, sizeof(buf)));
}

static void add_condition(struct text *text, const struct spec_cond *cond)
{
	char buf[CONDITION_TEXT_MAX];

	condition_text(cond, buf, sizeof(buf));
	add(text, "%s", buf);
}

static void write_answer(const struct spec_call *call, char *buf, size_t size)
{
	struct text text = {.buf = buf, .size = size};

	for (size_t i = 0; i < call->n_rules; i++) {
		const struct spec_call_rule *rule = &call->rules[i];

		add_action(&text, rule->action);
		for (size_t k = 0; k < rule->n_conds; k++) {
			add(&text, k > 0 ? " and " : " where ");
			add_condition(&text, &rule->conds[k]);
		}
		add(&text, "; else ");
	}
	add_action(&text, call->otherwise);
}

/* Of one architecture's list, what a call is answered, into buf; one that no entry names is
 * answered by default. */
static struct side answer_of(const struct sandbox_spec *spec, struct spec_calls list,
			     const char *name, char *buf, size_t size)
{
	struct text text = {.buf = buf, .size = size};

	for (size_t i = 0; i < list.n; i++) {
		const struct spec_call *call = &list.calls[i];

		if (!str_equal(call->name, name))
			continue;
		write_answer(call, buf, size);
		return (struct side){.text = buf,
				     .origin = call->n_rules > 0 ? call->rules[0].origin
								 : call->origin};
	}
	add_action(&text, spec->seccomp.default_action);
	return (struct side){.text = buf,
			     .origin = value_of(spec, "seccomp.default").origin,
			     .is_default = true};
}

static struct spec_calls calls_of(const struct sandbox_spec *spec, enum syscalls_abi abi)
{
	const struct spec_calls native = {.calls = spec->seccomp.calls, .n = spec->seccomp.n_calls};

	return abi == ABI_NATIVE ? native : spec->seccomp.second;
}

static void diff_list(struct output *out, enum syscalls_abi abi, const struct sandbox_spec *spec_a,
		      const struct sandbox_spec *spec_b)
{
	struct spec_calls list_a = calls_of(spec_a, abi), list_b = calls_of(spec_b, abi);

	for (int32_t place = 0; place < SYSCALLS_END; place++) {
		const char *name = syscalls_name_on(abi, place);
		char text_a[ANSWER_MAX], text_b[ANSWER_MAX], title[128];
		struct side a, b;

		if (name == NULL || syscalls_kernel_number(abi, place) < 0)
			continue;
		a = answer_of(spec_a, list_a, name, text_a, sizeof(text_a));
		b = answer_of(spec_b, list_b, name, text_b, sizeof(text_b));
		str_format(title, sizeof(title), "%s%s",
			   abi == ABI_NATIVE ? "" : POLICY_SECOND_NAME " ", name);
		if (!str_equal(text_a, text_b))
			put_difference(out, title, &a, &b);
	}
}

/* That only one of them lists the second architecture is said by the values. */
static void diff_calls(struct output *out, const struct sandbox_spec *spec_a,
		       const struct sandbox_spec *spec_b)
{
	diff_list(out, ABI_NATIVE, spec_a, spec_b);
	if (spec_a->seccomp.has_second && spec_b->seccomp.has_second)
		diff_list(out, ABI_SECOND, spec_a, spec_b);
}

/* ---- both ---- */

static void put_profile(struct json *json, const char *name, const char *profile,
			const struct verdict *verdict)
{
	json_open(json, name, '{');
	json_text(json, "profile", profile);
	document_refusal(json, verdict, profile);
	json_close(json, '}');
}

static int diff_document(char *const *names, const struct verdict *a, const struct verdict *b,
			 bool is_readable)
{
	struct document document;
	struct output out = {.json = &document.json};

	if (document_begin(&document, "cordon.profile-diff/1") < 0)
		return EXIT_CORDON;
	put_profile(out.json, "a", names[0], a);
	put_profile(out.json, "b", names[1], b);
	json_open(out.json, "values", '[');
	if (is_readable)
		diff_values(&out, &a->decision.spec, &b->decision.spec);
	json_close(out.json, ']');
	json_open(out.json, "system_calls", '[');
	if (is_readable)
		diff_calls(&out, &a->decision.spec, &b->decision.spec);
	json_close(out.json, ']');
	if (!is_readable)
		return document_end(&document, EXIT_CORDON);
	return document_end(&document, out.n > 0 ? EXIT_DIFFERS : 0);
}

static int diff_text(char *const *names, const struct sandbox_spec *a, const struct sandbox_spec *b)
{
	struct output values = {.columns = table_columns()};
	struct output calls = values;

	print_out("--- %s\n", names[0]);
	print_out("+++ %s\n", names[1]);
	print_out("values\n");
	diff_values(&values, a, b);
	print_out(values.n == 0 ? "  no difference\n" : "");
	print_out("system calls\n");
	diff_calls(&calls, a, b);
	print_out(calls.n == 0 ? "  no difference\n" : "");
	return values.n + calls.n > 0 ? EXIT_DIFFERS : 0;
}

int cmd_profile_diff(const struct cmd_context *context, int argc, char **argv)
{
	_cleanup_verdict_ struct verdict *a = verdict_new();
	_cleanup_verdict_ struct verdict *b = verdict_new();
	bool is_json;
	int exit_code;
	int n = command_words("profile diff", argv + 1, &is_json, &exit_code);
	int r_a, r_b;

	(void)argc;
	if (n < 0 || a == NULL || b == NULL)
		return exit_code;
	if (n != 2) {
		print_note("usage: cordon profile diff A B");
		return EXIT_CORDON;
	}
	r_a = verdict_read_profile(a, context, argv[1]);
	r_b = verdict_read_profile(b, context, argv[2]);
	if (is_json)
		return diff_document(argv + 1, a, b, r_a == 0 && r_b == 0);
	if (r_a < 0)
		verdict_print_refusal(a);
	if (r_b < 0)
		verdict_print_refusal(b);
	if (r_a < 0 || r_b < 0)
		return EXIT_CORDON;
	return diff_text(argv + 1, &a->decision.spec, &b->decision.spec);
}
