/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See names.h. */
#include "net/names.h"

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

enum { READ_TRIES = 16, SHORT_ID_LEN = 12, ID_LEN = 16 };

static int failed(const char *run, const struct network *network, int r, const char *what,
		  struct err *err)
{
	return err_set(err, ERR_SETUP, -r, "%s/networks/%s: %s", run, network->id, what);
}

/* ---- texts ---- */

const char *names_next(const char *texts, size_t size, size_t *at)
{
	const char *text = texts + *at;
	size_t len = *at < size ? strnlen(text, size - *at) : 0;

	if (len == 0 || *at + len >= size)
		return NULL;
	*at += len + 1;
	return text;
}

static size_t end_of(const char *texts, size_t size)
{
	size_t at = 0;

	while (names_next(texts, size, &at) != NULL)
		;
	return at;
}

static bool add_text(char *texts, size_t size, const char *text)
{
	size_t at = end_of(texts, size), len = strlen(text);

	/* Behind it the end is still to be said. */
	if (len == 0 || len + 2 > size - at)
		return false;
	memcpy(texts + at, text, len + 1);
	texts[at + len + 1] = '\0';
	return true;
}

bool names_add_own(struct names_entry *entry, const char *name)
{
	return add_text(entry->names, sizeof(entry->names), name);
}

bool names_add_link(struct names_entry *entry, const char *alias, const char *target)
{
	size_t at = end_of(entry->links, sizeof(entry->links));

	if (add_text(entry->links, sizeof(entry->links), alias) &&
	    add_text(entry->links, sizeof(entry->links), target))
		return true;
	entry->links[at] = '\0';
	return false;
}

/* Of a whole id, as `cordon run -d` prints it, its table has the beginning. */
static bool add_link(struct names_entry *entry, const struct spec_link *link, const char *id)
{
	bool is_id = strlen(link->source) == ID_LEN &&
		     strspn(link->source, "0123456789abcdef") == ID_LEN;
	char source[ID_LEN + 1];

	if (id != NULL)
		return names_add_link(entry, link->alias, id);
	str_format(source, sizeof(source), "%.*s", SHORT_ID_LEN, link->source);
	return names_add_link(entry, link->alias, is_id ? source : link->source);
}

int names_describe(const struct spec_endpoint *endpoint, const struct names_identity *who,
		   const struct lease *lease, struct names_entry *ret, struct err *err)
{
	const char *id = strrchr(who->holder, '/');
	struct names_entry entry = {.number = who->number,
				    .has_mac = endpoint->has_mac,
				    .is_ruled = who->is_ruled};
	char short_id[SHORT_ID_LEN + 1];
	bool has_room = true;

	id = id != NULL ? id + 1 : who->holder;
	str_format(entry.id, sizeof(entry.id), "%s", id);
	str_format(entry.run, sizeof(entry.run), "%s", who->run_id);
	str_format(short_id, sizeof(short_id), "%.*s", SHORT_ID_LEN, id);
	memcpy(entry.address, lease->address.bytes, sizeof(entry.address));
	if (lease->address6.family != 0)
		memcpy(entry.address6, lease->address6.bytes, sizeof(entry.address6));
	memcpy(entry.mac, lease->mac, sizeof(entry.mac));
	if (who->name != NULL && who->name[0] != '\0')
		has_room = names_add_own(&entry, who->name);
	has_room = names_add_own(&entry, short_id) && has_room;
	for (size_t i = 0; i < endpoint->n_aliases; i++)
		has_room = names_add_own(&entry, endpoint->aliases[i]) && has_room;
	if (!has_room)
		return err_set(err, ERR_USAGE, ENOSPC,
			       "network %s: the names of one sandbox take more than %d bytes",
			       endpoint->network, NAMES_OWN_SIZE);
	for (size_t i = 0; i < endpoint->n_links; i++)
		if (!add_link(&entry, &endpoint->links[i],
			      who->sources != NULL ? who->sources[i] : NULL))
			return err_set(err, ERR_USAGE, ENOSPC,
				       "network %s: the links of one sandbox take more than %d "
				       "bytes",
				       endpoint->network, NAMES_LINKS_SIZE);
	*ret = entry;
	return 0;
}

/* ---- the file ---- */

static void path_of(const char *run, const char *network_id, char *buf, size_t size)
{
	str_format(buf, size, "%s/networks/%s", run, network_id);
}

static int open_file(const char *run, const struct network *network, bool writes)
{
	char path[PATH_MAX + 64];
	int fd;

	path_of(run, network->id, path, sizeof(path));
	fd = sys_openat(AT_FDCWD, path, (writes ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd != -ENOENT || !writes)
		return fd;
	str_format(path, sizeof(path), "%s/networks", run);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return -errno;
	path_of(run, network->id, path, sizeof(path));
	return sys_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int names_open(const char *run, const struct network *network, struct err *err)
{
	int fd = open_file(run, network, false);

	return fd >= 0 || fd == -ENOENT ? fd : failed(run, network, fd, "open", err);
}

static int read_exactly(int fd, void *buf, size_t size, off_t at)
{
	ssize_t n;

	do
		n = pread(fd, buf, size, at);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (size_t)n == size ? 0 : -EBADMSG;
}

static off_t half_at(uint32_t half)
{
	return NAMES_PAGE + (off_t)half * (off_t)(NAMES_MAX * sizeof(struct names_entry));
}

/* Of a file that has just been made, nobody. */
static int read_head(int fd, struct names_head *ret)
{
	struct stat st;
	int r = fstat(fd, &st) != 0 ? -errno : 0;

	*ret = (struct names_head){.magic = NAMES_MAGIC};
	if (r < 0 || st.st_size == 0)
		return r;
	r = read_exactly(fd, ret, sizeof(*ret), 0);
	if (r == 0 && (ret->magic != NAMES_MAGIC || ret->n[ret->generation & 1] > NAMES_MAX))
		r = -EBADMSG;
	return r;
}

/* One text after the other, and an end. */
static bool is_sound(const struct names_entry *entry)
{
	return memchr(entry->id, '\0', sizeof(entry->id)) != NULL &&
	       memchr(entry->run, '\0', sizeof(entry->run)) != NULL &&
	       end_of(entry->names, sizeof(entry->names)) < sizeof(entry->names) &&
	       end_of(entry->links, sizeof(entry->links)) < sizeof(entry->links);
}

/* One look; -EAGAIN: it changed meanwhile. Room for one more entry is left. */
static int try_read(int fd, struct names *ret)
{
	struct names_head head, again;
	struct names_entry *list;
	uint32_t half;
	size_t n;
	int r = read_head(fd, &head);

	if (r < 0)
		return r;
	half = head.generation & 1;
	n = head.n[half];
	list = calloc(n + 1, sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	r = n > 0 ? read_exactly(fd, list, n * sizeof(*list), half_at(half)) : 0;
	if (r == 0)
		r = read_head(fd, &again);
	if (r == 0 && again.generation - head.generation > 1)
		r = -EAGAIN;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = is_sound(&list[i]) ? 0 : -EBADMSG;
	if (r < 0) {
		free(list);
		return r;
	}
	*ret = (struct names){.list = list, .n = n};
	return 0;
}

static int read_all(int fd, struct names *ret)
{
	int r = -EAGAIN;

	for (int i = 0; i < READ_TRIES && r == -EAGAIN; i++)
		r = try_read(fd, ret);
	return r;
}

int names_read(const char *run, const struct network *network, struct names *ret, struct err *err)
{
	_cleanup_fd_ int fd = names_open(run, network, err);
	int r;

	*ret = (struct names){0};
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	r = read_all(fd, ret);
	return r < 0 ? failed(run, network, r, "read", err) : 0;
}

void names_free(struct names *names)
{
	free(names->list);
	*names = (struct names){0};
}

const struct names_entry *names_find(const struct names *names, const char *id)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_equal(names->list[i].id, id))
			return &names->list[i];
	return NULL;
}

/* ---- changes ---- */

static int write_exactly(int fd, const void *buf, size_t size, off_t at)
{
	ssize_t n;

	do
		n = pwrite(fd, buf, size, at);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (size_t)n == size ? 0 : -ENOSPC;
}

static int write_all(int fd, const struct names *names)
{
	struct names_head head;
	uint32_t half;
	int r = read_head(fd, &head);

	if (r < 0)
		return r;
	half = (head.generation + 1) & 1;
	r = names->n > 0
		    ? write_exactly(fd, names->list, names->n * sizeof(*names->list), half_at(half))
		    : 0;
	head.n[half] = (uint32_t)names->n;
	head.generation++;
	return r == 0 ? write_exactly(fd, &head, sizeof(head), 0) : r;
}

/* The last one takes the file along, and the directory. */
static int write_or_remove(const char *run, const struct network *network, int fd,
			   const struct names *names)
{
	char path[PATH_MAX + 64];
	int r = write_all(fd, names);

	if (r < 0 || names->n > 0)
		return r;
	path_of(run, network->id, path, sizeof(path));
	if (unlink(path) != 0 && errno != ENOENT)
		return -errno;
	str_format(path, sizeof(path), "%s/networks", run);
	return rmdir(path) != 0 && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT ? -errno
											    : 0;
}

static int refuse_mac(const struct network *network, const struct names_entry *other,
		      struct err *err)
{
	char mac[MAC_TEXT_MAX];

	address_format_mac(other->mac, mac);
	err_set(err, ERR_USAGE, EADDRINUSE, "network %s: sandbox %s has the link address %s",
		network->name, other->names[0] != '\0' ? other->names : other->id, mac);
	return err_hint(err, "Of one that does not run any more `cordon gc` gives it back.");
}

static int put(const struct network *network, struct names *names, const struct names_entry *entry,
	       struct err *err)
{
	size_t at = names->n;

	for (size_t i = 0; i < names->n; i++) {
		if (str_equal(names->list[i].id, entry->id))
			at = i;
		else if (memcmp(names->list[i].mac, entry->mac, MAC_LEN) == 0)
			return refuse_mac(network, &names->list[i], err);
	}
	if (at == NAMES_MAX)
		return err_set(err, ERR_SETUP, ENOSPC, "network %s: %d sandboxes are in it",
			       network->name, NAMES_MAX);
	/* try_read has left room for one. */
	names->list[at] = *entry;
	names->n += at == names->n;
	return 0;
}

int names_put(const char *run, const struct network *network, const struct names_entry *entry,
	      struct err *err)
{
	_cleanup_fd_ int fd = open_file(run, network, true);
	struct names names = {0};
	int r = fd < 0 ? fd : read_all(fd, &names);

	if (r < 0)
		return failed(run, network, r, "read", err);
	r = put(network, &names, entry, err);
	if (r == 0) {
		r = write_all(fd, &names);
		if (r < 0)
			failed(run, network, r, "write", err);
	}
	names_free(&names);
	return r;
}

/* Takes out whom `is_gone` says. Returns how many. */
static ssize_t take_out(const char *run, const struct network *network,
			bool (*is_gone)(const char *run, const struct names_entry *, const char *),
			const char *run_id)
{
	_cleanup_fd_ int fd = open_file(run, network, false);
	struct names names = {0};
	size_t n = 0, n_before;
	int r;

	if (fd == -ENOENT)
		return 0;
	close_fd(&fd);
	fd = open_file(run, network, true);
	r = fd < 0 ? fd : read_all(fd, &names);
	if (r < 0)
		return r;
	n_before = names.n;
	for (size_t i = 0; i < names.n; i++)
		if (!is_gone(run, &names.list[i], run_id))
			names.list[n++] = names.list[i];
	names.n = n;
	r = n < n_before || n == 0 ? write_or_remove(run, network, fd, &names) : 0;
	names_free(&names);
	return r < 0 ? r : (ssize_t)(n_before - n);
}

static bool is_of_run(const char *run, const struct names_entry *entry, const char *run_id)
{
	(void)run;
	return str_equal(entry->run, run_id);
}

int names_drop(const char *run, const struct network *network, const char *run_id, struct err *err)
{
	ssize_t n = take_out(run, network, is_of_run, run_id);

	return n < 0 ? failed(run, network, (int)n, "take an entry out", err) : 0;
}

bool names_is_any(const char *run)
{
	char path[PATH_MAX + 64];

	str_format(path, sizeof(path), "%s/networks", run);
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool names_is_lost(const char *run, const struct names_entry *entry)
{
	char path[PATH_MAX + 64];

	str_format(path, sizeof(path), "%s/runs/%s", run, entry->run);
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

static bool is_lost(const char *run, const struct names_entry *entry, const char *unused)
{
	(void)unused;
	return names_is_lost(run, entry);
}

int names_sweep(const char *run, const struct networks *networks, uint32_t *n_removed,
		struct err *err)
{
	struct network_list list;
	int result = networks_list(networks, &list, err);

	for (size_t i = 0; i < list.n; i++) {
		ssize_t n = take_out(run, &list.list[i], is_lost, NULL);

		*n_removed += n > 0 ? (uint32_t)n : 0;
		if (n < 0)
			result = failed(run, &list.list[i], (int)n, "take entries out", err);
	}
	network_list_free(&list);
	return result;
}
