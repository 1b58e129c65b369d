/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/PROFILES.md: the reference of profiles as tables. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/gen/documents.h"

enum { TEXT_MAX = 512, LINE_COLUMNS = 120 };

/* A paragraph in lines, broken at spaces. */
void documents_paragraph(const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		if (column > 0 && column + 1 + n > LINE_COLUMNS) {
			putchar('\n');
			column = 0;
		}
		column += (size_t)printf("%s%.*s", column > 0 ? " " : "", (int)n, text);
		text += n;
		text += strspn(text, " ");
	}
	puts("\n");
}

static void print_prose(const struct prose *prose)
{
	for (; prose->title != NULL; prose++) {
		printf("## %s\n\n", prose->title);
		for (const char *const *text = prose->paragraphs; *text != NULL; text++)
			documents_paragraph(*text);
	}
}

/* A '|' would end the cell of a table. */
void documents_cell(const char *text)
{
	for (; *text != '\0'; text++)
		printf(*text == '|' ? "\\|" : "%c", *text);
}

static void print_code(const char *text)
{
	if (text[0] == '\0')
		return;
	putchar('`');
	documents_cell(text);
	putchar('`');
}

static void print_key(const struct policy_key *key)
{
	char text[TEXT_MAX];

	fputs("| ", stdout);
	print_code(key->path);
	fputs(" | ", stdout);
	keys_type_text(key, text, sizeof(text));
	documents_cell(text);
	fputs(" | ", stdout);
	print_code(documents_default(key, text, sizeof(text)));
	fputs(" | ", stdout);
	documents_cell(key->doc);
	if (keys_later_text(key, text, sizeof(text)) > 0) {
		fputs(" **(", stdout);
		documents_cell(text);
		fputs(")**", stdout);
	}
	fputs(" |\n", stdout);
}

static void print_section(const char *section, const char *title)
{
	printf("### %s\n\n| key | value | in `default` | what it is |\n| --- | --- | --- | --- |\n",
	       title);
	for (size_t i = 0; i < policy_n_keys; i++) {
		char own[TEXT_MAX];

		if (str_equal(documents_section(&policy_keys[i], own, sizeof(own)), section))
			print_key(&policy_keys[i]);
	}
	putchar('\n');
}

static void print_waivers(void)
{
	bool is_enforced = false;
	const char *name;

	puts("## Waivers\n");
	documents_paragraph(
		"Names for `waive` and `--waive`; a name that ends with `:` or `.` goes on with "
		"what is meant.");
	for (size_t i = 0; (name = waivers_name(i, &is_enforced)) != NULL; i++)
		printf("- `%s`%s\n", name, is_enforced ? "" : " **(not enforced yet)**");
	putchar('\n');
}

int documents_reference(void)
{
	char last[TEXT_MAX] = "";

	puts("<!-- Made by `make docs` from policy/keys.c. -->\n\n# Profiles\n");
	documents_paragraph(
		"Every key of a policy profile. The same as a man page: cordon-profile(5); in "
		"the shell: `cordon profile keys`; for editors: "
		"[profiles/schema.json](../profiles/schema.json).");
	print_prose(prose_before);
	puts("## Keys\n");
	print_section("", "The file itself, and keys that stand alone");
	for (size_t i = 0; i < policy_n_keys; i++) {
		char own[TEXT_MAX];

		documents_section(&policy_keys[i], own, sizeof(own));
		if (own[0] == '\0' || str_equal(own, last))
			continue;
		str_format(last, sizeof(last), "%s", own);
		print_section(own, own);
	}
	print_prose(prose_after);
	print_waivers();
	return 0;
}
