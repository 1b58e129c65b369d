/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/arena.c: what is handed out, what is refused, and that a frozen arena stays as it is. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"

enum { SIZE = 1 << 16 };

static int set_up(void **state)
{
	static struct arena arena;
	struct err err;

	*state = &arena;
	return arena_init(&arena, SIZE, &err);
}

static int tear_down(void **state)
{
	arena_release(*state);
	return 0;
}

static void hands_out_zeroed_aligned_memory(void **state)
{
	static const char zero[100];

	for (size_t size = 1; size < sizeof(zero); size++) {
		char *memory = arena_alloc(*state, size);

		assert_non_null(memory);
		assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
		assert_memory_equal(memory, zero, size);
		memset(memory, 0xff, size); /* the next one must not overlap it */
	}
}

static void refuses_what_does_not_fit(void **state)
{
	struct arena *arena = *state;

	assert_null(arena_alloc(arena, SIZE + 1));
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_array(arena, SIZE_MAX / 2, 3));
	assert_null(arena_array(arena, 2, SIZE));
	assert_int_equal(arena->used, 0); /* a refusal takes nothing */
	assert_non_null(arena_alloc(arena, SIZE));
	assert_null(arena_alloc(arena, 1));
	assert_null(arena_strdup(arena, ""));
	assert_null(arena_copy(arena, "x", 1));
}

static void ends_exactly_at_its_size(void **state)
{
	struct arena *arena = *state;
	char *memory = arena_array(arena, SIZE / 16, 16);

	assert_non_null(memory);
	memory[SIZE - 1] = 1;
	assert_int_equal(arena->used, SIZE);
	/* Not even nothing, behind it: start stays within the region. */
	assert_true(arena_alloc(arena, 0) == NULL || arena->used <= arena->size);
}

static void copies_text(void **state)
{
	struct arena *arena = *state;
	char bytes[] = {'a', '\0', 'b'};
	char *copy = arena_copy(arena, bytes, sizeof(bytes));

	assert_memory_equal(copy, "a\0b\0", 4);
	bytes[0] = 'z';
	assert_int_equal(copy[0], 'a');
	assert_string_equal(arena_strdup(arena, "volume"), "volume");
	assert_string_equal(arena_strdup(arena, ""), "");
	assert_null(arena_copy(arena, "x", SIZE_MAX));
}

static void formats_whole_or_not_at_all(void **state)
{
	struct arena *arena = *state;
	char text[9000];

	assert_string_equal(arena_format(arena, "%s:%d", "web.yaml", 12), "web.yaml:12");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_null(arena_format(arena, "%s", text));
	text[8000] = '\0';
	assert_string_equal(arena_format(arena, "%s", text), text);
}

/* The signal that ends a child which writes one byte; 0 where it lives. */
static int signal_of_write(char *byte)
{
	const struct rlimit no_core = {0, 0};
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGSEGV, SIG_DFL); /* cmocka and the sanitizers have handlers */
		*(volatile char *)byte = 'x';
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void frozen_memory_cannot_be_written(void **state)
{
	char *text = arena_strdup(*state, "decided");
	struct err err;

	assert_int_equal(signal_of_write(text), 0);
	assert_int_equal(arena_freeze(*state, &err), 0);
	assert_string_equal(text, "decided");
	assert_int_equal(signal_of_write(text), SIGSEGV);
	assert_int_equal(signal_of_write(text + SIZE / 2), SIGSEGV);
}

static void fails_with_the_reason(void **state)
{
	struct arena arena = {.size = 7};
	struct err err;

	(void)state;
	assert_int_equal(arena_init(&arena, SIZE_MAX & ~(size_t)4095, &err), -ENOMEM);
	assert_int_equal(err.sys_errno, ENOMEM);
	assert_int_equal(arena.size, 7); /* untouched */
}

static void release_takes_anything_and_keeps_errno(void **state)
{
	struct arena empty = {0}, used;
	struct err err;

	(void)state;
	assert_int_equal(arena_init(&used, SIZE, &err), 0);
	errno = EXDEV;
	arena_release(&empty);
	arena_release(&used);
	arena_release(&used);
	assert_int_equal(errno, EXDEV);
	assert_null(used.base);
	assert_null(arena_alloc(&used, 1));
}

#define in_arena(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		in_arena(hands_out_zeroed_aligned_memory),
		in_arena(refuses_what_does_not_fit),
		in_arena(ends_exactly_at_its_size),
		in_arena(copies_text),
		in_arena(formats_whole_or_not_at_all),
		in_arena(frozen_memory_cannot_be_written),
		cmocka_unit_test(fails_with_the_reason),
		cmocka_unit_test(release_takes_anything_and_keeps_errno),
	};

	return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
