/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See book_store.h. */
#include "net/book_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"

enum { RUN_WORD_MAX = 64 };

static const char file_name[] = ".names";

/* ---- the file ---- */

static int open_table(const struct networks *networks, int how)
{
	return sys_openat(networks->fd, file_name, how | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int cannot(const struct networks *networks, int r, const char *what, struct err *err)
{
	return err_set(err, ERR_SETUP, -r, "%s/%s: %s", networks->path, file_name, what);
}

int book_open(const struct networks *networks, struct err *err)
{
	_cleanup_fd_ int made = open_table(networks, O_RDWR | O_CREAT);
	int fd = made < 0 ? made : open_table(networks, O_RDONLY);

	return fd < 0 ? cannot(networks, fd, "open", err) : fd;
}

static long read_at(void *ctx, void *buf, size_t size, uint64_t offset)
{
	const int *fd = ctx;
	ssize_t n = pread(*fd, buf, size, (off_t)offset);

	return n < 0 ? -errno : n;
}

struct table {
	int fd;
	struct book_head head;
	unsigned slot; /* that counts */
	char *text;    /* malloc, BOOK_TEXT_MAX */
	size_t len;
	char *next; /* likewise: the new one */
	size_t next_len;
	bool is_full;
};

static void table_release(struct table *table)
{
	close_fd(&table->fd);
	free(table->text);
	free(table->next);
}
#define _cleanup_table_ __attribute__((cleanup(table_release)))

static int table_load(const struct networks *networks, struct table *table, struct err *err)
{
	struct book_file file = {.read_at = read_at, .ctx = &table->fd};
	int r;

	*table = (struct table){.fd = open_table(networks, O_RDWR | O_CREAT),
				.text = malloc(BOOK_TEXT_MAX),
				.next = malloc(BOOK_TEXT_MAX)};
	if (table->fd < 0)
		return cannot(networks, table->fd, "open", err);
	if (table->text == NULL || table->next == NULL)
		return cannot(networks, -ENOMEM, "read", err);
	r = book_load(&file, 0, &table->head, table->text, &table->slot);
	/* None that is whole: nobody is called anything. */
	if (r <= 0)
		table->head = (struct book_head){.generation = 0};
	table->len = (size_t)table->head.length;
	return 0;
}

static int write_at(int fd, const void *data, size_t size, off_t offset)
{
	const char *bytes = data;

	while (size > 0) {
		ssize_t n = pwrite(fd, bytes, size, offset);

		if (n < 0 && errno != EINTR)
			return -errno;
		n = n < 0 ? 0 : n;
		bytes += n;
		offset += n;
		size -= (size_t)n;
	}
	return 0;
}

/* The other slot: without a head, then its text, then its head. */
static int table_store(const struct networks *networks, struct table *table, struct err *err)
{
	const off_t begin = (off_t)(1 - table->slot) * BOOK_SLOT;
	struct book_head head = table->head, none = {.generation = 0};
	int r;

	if (table->is_full) {
		cannot(networks, -EFBIG, "write", err);
		return err_hint(err, "There is room for some 30000 names of sandboxes that run.");
	}
	memcpy(head.magic, book_magic, sizeof(head.magic));
	head.generation++;
	head.length = table->next_len;
	head.sum = book_sum(&head, table->next);
	r = write_at(table->fd, &none, sizeof(none), begin);
	if (r == 0)
		r = write_at(table->fd, table->next, table->next_len, begin + (off_t)sizeof(head));
	if (r == 0)
		r = write_at(table->fd, &head, sizeof(head), begin);
	return r < 0 ? cannot(networks, r, "write", err) : 0;
}

/* ---- lines ---- */

static void put_bytes(struct table *table, const char *text, size_t len)
{
	if (len > BOOK_TEXT_MAX - table->next_len) {
		table->is_full = true;
		return;
	}
	memcpy(table->next + table->next_len, text, len);
	table->next_len += len;
}

static void put(struct table *table, const char *text)
{
	put_bytes(table, text, strlen(text));
}

static void put_hex(struct table *table, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		const char pair[] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};

		put_bytes(table, pair, sizeof(pair));
	}
}

static void put_words(struct table *table, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			put(table, " ");
		put(table, words[i]);
	}
}

static void put_links(struct table *table, const struct network *network,
		      const struct names_entry *entry)
{
	const char *alias, *target;
	size_t at = 0;

	while ((alias = names_next(entry->links, sizeof(entry->links), &at)) != NULL &&
	       (target = names_next(entry->links, sizeof(entry->links), &at)) != NULL) {
		const char *const words[] = {"link", entry->run, network->id, alias, target};

		if (!network_is_name(alias) || !network_is_name(target))
			continue;
		put_words(table, words, sizeof(words) / sizeof(words[0]));
		put(table, "\n");
	}
}

static void put_entry(struct table *table, const struct network *network,
		      const struct names_entry *entry)
{
	static const uint8_t none[sizeof(entry->address6)];
	const char *const words[] = {"at", entry->run, network->id, network->name,
				     network->is_internal ? "in " : "out "};
	const char *name;
	size_t at = 0;

	put_words(table, words, sizeof(words) / sizeof(words[0]));
	put_hex(table, entry->address, sizeof(entry->address));
	put(table, " ");
	if (memcmp(entry->address6, none, sizeof(none)) != 0)
		put_hex(table, entry->address6, sizeof(entry->address6));
	else
		put(table, "-");
	while (!network->is_built_in &&
	       (name = names_next(entry->names, sizeof(entry->names), &at)) != NULL)
		if (network_is_name(name)) {
			put(table, " ");
			put(table, name);
		}
	put(table, "\n");
	if (!network->is_built_in)
		put_links(table, network, entry);
}

/* Which lines are left out; NULL or 0: says nothing of that. */
struct cut {
	const char *run;
	const char *network_id;
	const uint8_t *ip; /* in that network, of whatever run */
	const char *runs;  /* without a directory there */
};

static bool is_gone(const struct book_word *run, const char *runs)
{
	char path[PATH_MAX + RUN_WORD_MAX];

	if (run->len >= RUN_WORD_MAX)
		return true;
	str_format(path, sizeof(path), "%s/%.*s", runs, (int)run->len, run->at);
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

static bool is_cut(const struct book_line *line, const struct cut *cut)
{
	bool is_there = cut->network_id == NULL || book_word_is(&line->network, cut->network_id);

	if (cut->runs != NULL)
		return is_gone(&line->run, cut->runs);
	if (is_there && book_word_is(&line->run, cut->run))
		return true;
	return cut->ip != NULL && is_there && !line->is_link &&
	       memcmp(line->ip, cut->ip, sizeof(line->ip)) == 0;
}

/* Copies all other lines. Returns how many were left out. */
static uint32_t copy_but(struct table *table, const struct cut *cut)
{
	const struct book names = {.text = table->text, .len = table->len};
	struct book_line line;
	size_t at = 0, from = 0;
	uint32_t n = 0;

	while (book_next(&names, &at, &line)) {
		if (is_cut(&line, cut))
			n++;
		else
			put_bytes(table, table->text + from, at - from);
		from = at;
	}
	return n;
}

/* ---- changes ---- */

/* The kernel's name of this boot; "" where it has none to read. */
static void read_boot(char buf[BOOK_BOOT_MAX])
{
	buf[0] = '\0';
	if (io_read_text(AT_FDCWD, "/proc/sys/kernel/random/boot_id", buf, BOOK_BOOT_MAX) < 0)
		buf[0] = '\0';
	io_chomp(buf);
}

int book_publish(const struct networks *networks, const struct network *network,
		 const struct names_entry *entry, struct err *err)
{
	const struct cut cut = {.run = entry->run, .network_id = network->id, .ip = entry->address};
	_cleanup_table_ struct table table;
	char boot[BOOK_BOOT_MAX] = "";
	int r = table_load(networks, &table, err);

	if (r < 0)
		return r;
	read_boot(boot);
	/* Of another boot nobody is alive. */
	if (strncmp(table.head.boot, boot, sizeof(boot)) != 0) {
		table.len = 0;
		memset(table.head.boot, 0, sizeof(table.head.boot));
		str_format(table.head.boot, sizeof(table.head.boot), "%s", boot);
	}
	copy_but(&table, &cut);
	put_entry(&table, network, entry);
	return table_store(networks, &table, err);
}

bool book_has(const struct networks *networks, const char *run, const struct network *network)
{
	_cleanup_table_ struct table table;
	struct book_line line;
	struct book names;
	struct err ignored;
	size_t at = 0;

	if (table_load(networks, &table, &ignored) < 0)
		return false;
	names = (struct book){.text = table.text, .len = table.len};
	while (book_next(&names, &at, &line))
		if (!line.is_link && book_word_is(&line.run, run) &&
		    book_word_is(&line.network, network->id))
			return true;
	return false;
}

static int remove_lines(const struct networks *networks, const struct cut *cut, uint32_t *n_removed,
			struct err *err)
{
	_cleanup_table_ struct table table;
	uint32_t n;
	int r;

	if (networks->fd < 0 || faccessat(networks->fd, file_name, F_OK, 0) != 0)
		return 0;
	r = table_load(networks, &table, err);
	n = r == 0 ? copy_but(&table, cut) : 0;
	if (r == 0 && n > 0)
		r = table_store(networks, &table, err);
	*n_removed += r == 0 ? n : 0;
	return r;
}

int book_forget(const struct networks *networks, const char *run, const char *network_id,
		struct err *err)
{
	const struct cut cut = {.run = run, .network_id = network_id};
	uint32_t n = 0;

	return remove_lines(networks, &cut, &n, err);
}

int book_sweep(const struct networks *networks, const char *runs, uint32_t *n_removed,
	       struct err *err)
{
	const struct cut cut = {.runs = runs};

	return remove_lines(networks, &cut, n_removed, err);
}
