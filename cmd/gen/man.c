/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* docs/man/cordon-profile.5: the reference of profiles as a man page (man(7)). */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/gen/documents.h"
#include "launcher/cordon.h"

enum { TEXT_MAX = 512, TITLE_MAX = 64 };

void documents_man_text(const char *text)
{
	bool is_code = false;
	bool is_first = true;

	for (; *text != '\0'; text++) {
		if (is_first && (*text == '.' || *text == '\''))
			fputs("\\&", stdout);
		is_first = *text == '\n';
		if (*text == '`') {
			is_code = !is_code;
			fputs(is_code ? "\\fB" : "\\fR", stdout);
		} else if (*text == '\\') {
			fputs("\\e", stdout);
		} else if (*text == '-') {
			fputs("\\-", stdout);
		} else if (*text == '\'') {
			fputs("\\(aq", stdout);
		} else if (*text == '~') {
			fputs("\\(ti", stdout);
		} else if (*text == '^') {
			fputs("\\(ha", stdout);
		} else {
			putchar(*text);
		}
	}
}

static void print_title(const char *macro, const char *title)
{
	printf(".%s \"", macro);
	for (; *title != '\0'; title++)
		putchar(str_equal(macro, "SH") && *title >= 'a' && *title <= 'z'
				? *title - 'a' + 'A'
				: *title);
	puts("\"");
}

static void print_prose(const struct prose *prose)
{
	for (; prose->title != NULL; prose++) {
		print_title("SH", prose->title);
		for (const char *const *text = prose->paragraphs; *text != NULL; text++) {
			if (text != prose->paragraphs)
				puts(".PP");
			documents_man_text(*text);
			putchar('\n');
		}
	}
}

static void print_key(const struct policy_key *key)
{
	char text[TEXT_MAX];

	fputs(".TP\n\\fB", stdout);
	documents_man_text(key->path);
	fputs("\\fR (", stdout);
	keys_type_text(key, text, sizeof(text));
	documents_man_text(text[0] == '-' ? "any" : text);
	puts(")");
	documents_man_text(key->doc);
	puts(".");
	documents_default(key, text, sizeof(text));
	if (text[0] != '\0') {
		fputs("In \\fBdefault\\fR: \\fB", stdout);
		documents_man_text(text);
		puts("\\fR.");
	}
	if (keys_later_text(key, text, sizeof(text)) > 0) {
		fputs("(\\fI", stdout);
		documents_man_text(text);
		puts("\\fR)");
	}
}

static void print_section(const char *section, const char *title)
{
	print_title("SS", title);
	for (size_t i = 0; i < policy_n_keys; i++) {
		char own[TEXT_MAX];

		if (str_equal(documents_section(&policy_keys[i], own, sizeof(own)), section))
			print_key(&policy_keys[i]);
	}
}

static void print_waivers(void)
{
	bool is_enforced = false;
	const char *name;

	puts(".SH WAIVERS");
	documents_man_text(
		"Names for `waive` and `--waive`; a name that ends with `:` or `.` goes on with "
		"what is "
		"meant:");
	putchar('\n');
	for (size_t i = 0; (name = waivers_name(i, &is_enforced)) != NULL; i++) {
		fputs(".TP\n\\fB", stdout);
		documents_man_text(name);
		puts("\\fR");
		puts(is_enforced ? "May be waived." : "(\\fInot enforced yet\\fR)");
	}
}

static void print_keys(void)
{
	char last[TEXT_MAX] = "";

	puts(".SH KEYS");
	print_section("", "The file itself, and keys that stand alone");
	for (size_t i = 0; i < policy_n_keys; i++) {
		char own[TEXT_MAX];

		documents_section(&policy_keys[i], own, sizeof(own));
		if (own[0] == '\0' || str_equal(own, last))
			continue;
		str_format(last, sizeof(last), "%s", own);
		print_section(own, own);
	}
}

int documents_man(void)
{
	puts(".\\\" SPDX-License-Identifier: LGPL-2.1-or-later\n"
	     ".\\\" Made by `make docs` from policy/keys.c.\n"
	     ".TH CORDON\\-PROFILE 5 \"\" \"cordon " CORDON_VERSION "\" \"File formats\"\n"
	     ".nh\n.ad l\n"
	     ".SH NAME\n"
	     "cordon\\-profile \\- policy of a sandbox\n"
	     ".SH SYNOPSIS\n"
	     ".nf\n"
	     "cordon: 1\n"
	     "description: one program, no network, tight limits\n"
	     "extends: default\n"
	     "limits: {nproc: 16, wall_time: 6s, ulimits: {nofile: 64, fsize: 16MiB}}\n"
	     ".fi\n"
	     ".PP\n"
	     "\\fBcordon run \\-\\-profile\\fR \\fINAME\\fR|\\fI./FILE.yaml\\fR "
	     "\\fB\\-\\-\\fR \\fICMD\\fR...");
	print_prose(prose_before);
	print_keys();
	print_prose(prose_after);
	print_waivers();
	puts(".SH FILES\n"
	     ".TP\n\\fI/etc/cordon/profiles/NAME.yaml\\fR\nProfiles of this machine.\n"
	     ".TP\n\\fI\\(ti/.config/cordon/profiles/NAME.yaml\\fR\nProfiles of one user.\n"
	     ".SH SEE ALSO\n"
	     "\\fBcordon\\fR(1)");
	return 0;
}
