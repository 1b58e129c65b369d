/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes policy/syscall_table.inc: what libseccomp knows of system calls, as tables that are
 * searched by a hash and need no relocation. A program of the build: libseccomp's own
 * look-ups walk a list for each question, which is a tenth of a launch, and so it stays out of
 * cordon itself (docs/decisions/006-seccomp-tree.md).
 *
 *	syscall_table ARCHITECTURE >syscall_table.inc       ARCHITECTURE: x86_64, aarch64
 */
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 1024, NUMBERS_END = 512, FOREIGN = -2, PLACES = 2048 };

struct call {
	const char *name;
	int number; /* FOREIGN: other architectures have it */
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
	table->calls[table->n++] = (struct call){.name = name, .number = number};
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

static void print_tables(const struct table *table)
{
	int place[NUMBERS_END];

	for (int i = 0; i < NUMBERS_END; i++)
		place[i] = -1;
	puts("static const struct table_call table_calls[] = {");
	for (size_t i = 0; i < table->n; i++) {
		printf("\t{%zu, %d},\n", table->calls[i].offset, table->calls[i].number);
		if (table->calls[i].number >= 0)
			place[table->calls[i].number] = (int)i;
	}
	puts("};\n/* Index into table_calls, -1 for none. */");
	puts("static const int16_t table_by_number[] = {");
	for (int i = 0; i < NUMBERS_END; i++)
		printf("\t%d,\n", place[i]);
	puts("};");
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
	puts("/* Made by policy/gen/syscall_table.c from libseccomp. */");
	print_names(table);
	print_tables(table);
	print_places(table);
	free(table);
	return 0;
}
