/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes policy/syscall_table.inc: what libseccomp knows of system calls, as tables that are
 * searched by a hash and need no relocation. A program of the build: libseccomp's own
 * look-ups walk a list for each question, which is a tenth of a launch, and so it stays out of
 * cordon itself (docs/decisions/006-seccomp-tree.md).
 *
 *	syscall_table ARCHITECTURE >syscall_table.inc       ARCHITECTURE: x86_64, aarch64
 *
 * With the numbers of the architecture's second one (x86, arm), asked for by number: libseccomp
 * gives no number for the name of a call that x86 also has inside socketcall or ipc.
 */
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 1024, NUMBERS_END = 512, FOREIGN = -2, PLACES = 2048 };

/* As in policy/syscalls.h: where ARM's own calls stand, and those that x86 has only as parts of
 * another call. */
enum { PRIVATE_FIRST = 496, PRIVATE_N = 8, PRIVATE_NUMBER = 0x0f0000, PARTS_FIRST = 504 };
static const char *const parts_of_x86[] = {"accept", "send", "recv", "semop", "semtimedop"};

struct call {
	const char *name;
	int number; /* FOREIGN: other architectures have it */
	int second; /* the second architecture's number, likewise */
	size_t offset;
};

struct table {
	struct call calls[NAMES_MAX];
	size_t n;
};

static const uint32_t architectures[] = {
	SCMP_ARCH_X86_64, SCMP_ARCH_X86,    SCMP_ARCH_X32,       SCMP_ARCH_ARM,   SCMP_ARCH_AARCH64,
	SCMP_ARCH_MIPS,   SCMP_ARCH_MIPS64, SCMP_ARCH_MIPS64N32, SCMP_ARCH_PPC64, SCMP_ARCH_S390,
	SCMP_ARCH_S390X,  SCMP_ARCH_PARISC, SCMP_ARCH_RISCV64,
};

/* Where the architectures' numbers begin: MIPS has one block for each ABI, ARM some of its own. */
static const int first_numbers[] = {0, 4000, 5000, 6000, 0x0f0000, 0x40000000};

static int by_name(const void *a, const void *b)
{
	const struct call *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static void add(struct table *table, uint32_t native, char *name)
{
	int number = seccomp_syscall_resolve_name_arch(native, name);

	for (size_t i = 0; i < table->n; i++)
		if (strcmp(table->calls[i].name, name) == 0) {
			free(name);
			return;
		}
	if (table->n == NAMES_MAX) {
		fprintf(stderr, "syscall_table: more than %d names\n", NAMES_MAX);
		exit(1);
	}
	if (number < 0 || number >= NUMBERS_END)
		number = FOREIGN;
	table->calls[table->n++] = (struct call){.name = name, .number = number, .second = FOREIGN};
}

static void collect(struct table *table, uint32_t native)
{
	for (size_t i = 0; i < sizeof(architectures) / sizeof(architectures[0]); i++)
		for (size_t j = 0; j < sizeof(first_numbers) / sizeof(first_numbers[0]); j++)
			for (int k = 0; k < NUMBERS_END; k++) {
				char *name = seccomp_syscall_resolve_num_arch(architectures[i],
									      first_numbers[j] + k);

				if (name != NULL)
					add(table, native, name);
			}
	qsort(table->calls, table->n, sizeof(table->calls[0]), by_name);
}

static void set_second(struct table *table, const char *name, int number)
{
	for (size_t i = 0; name != NULL && i < table->n; i++)
		if (strcmp(table->calls[i].name, name) == 0)
			table->calls[i].second = number;
}

static void collect_second(struct table *table, uint32_t native)
{
	uint32_t second = native == SCMP_ARCH_X86_64 ? SCMP_ARCH_X86 : SCMP_ARCH_ARM;
	size_t n_parts = sizeof(parts_of_x86) / sizeof(parts_of_x86[0]);

	for (int i = 0; i < PRIVATE_FIRST + PRIVATE_N; i++) {
		int number = i < PRIVATE_FIRST ? i : i - PRIVATE_FIRST + PRIVATE_NUMBER;
		char *name = seccomp_syscall_resolve_num_arch(second, number);

		set_second(table, name, i);
		free(name);
	}
	for (size_t i = 0; second == SCMP_ARCH_X86 && i < n_parts; i++)
		set_second(table, parts_of_x86[i], PARTS_FIRST + (int)i);
}

static void print_names(struct table *table)
{
	size_t offset = 0;

	puts("static const char table_names[] =");
	for (size_t i = 0; i < table->n; i++) {
		table->calls[i].offset = offset;
		offset += strlen(table->calls[i].name) + 1;
		printf("\t\"%s\\0\"\n", table->calls[i].name);
	}
	puts("\t;");
}

/* The same in policy/syscalls.c. FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261U;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619U;
	return hash;
}

/* Open addressing: from a name's place on, up to the first free one. */
static void print_places(const struct table *table)
{
	int places[PLACES] = {0};

	for (size_t i = 0; i < table->n; i++) {
		size_t place = hash_of(table->calls[i].name) % PLACES;

		while (places[place] != 0)
			place = (place + 1) % PLACES;
		places[place] = (int)i + 1;
	}
	printf("enum { TABLE_PLACES = %d };\n", PLACES);
	puts("/* Index into table_calls plus 1, 0 for none, by the hash of the name. */");
	puts("static const uint16_t table_places[] = {");
	for (size_t i = 0; i < PLACES; i++)
		printf("\t%d,\n", places[i]);
	puts("};");
}

static void print_by_number(const struct table *table, const char *name, bool is_second)
{
	int place[NUMBERS_END];

	for (int i = 0; i < NUMBERS_END; i++)
		place[i] = -1;
	for (size_t i = 0; i < table->n; i++) {
		int number = is_second ? table->calls[i].second : table->calls[i].number;

		if (number >= 0)
			place[number] = (int)i;
	}
	puts("/* Index into table_calls, -1 for none. */");
	printf("static const int16_t %s[] = {\n", name);
	for (int i = 0; i < NUMBERS_END; i++)
		printf("\t%d,\n", place[i]);
	puts("};");
}

static void print_tables(const struct table *table)
{
	puts("static const struct table_call table_calls[] = {");
	for (size_t i = 0; i < table->n; i++)
		printf("\t{%zu, {%d, %d}},\n", table->calls[i].offset, table->calls[i].number,
		       table->calls[i].second);
	puts("};");
	print_by_number(table, "table_by_number", false);
	print_by_number(table, "table_by_second", true);
}

int main(int argc, char **argv)
{
	struct table *table = calloc(1, sizeof(*table));
	uint32_t native = argc == 2 ? seccomp_arch_resolve_name(argv[1]) : 0;

	if (table == NULL)
		abort();
	if (native == 0) {
		fprintf(stderr, "usage: syscall_table x86_64|aarch64\n");
		free(table);
		return 2;
	}
	collect(table, native);
	collect_second(table, native);
	puts("/* Made by policy/gen/syscall_table.c from libseccomp. */");
	print_names(table);
	print_tables(table);
	print_places(table);
	free(table);
	return 0;
}
