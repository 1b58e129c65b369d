/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads secrets; see secrets.h. Runs in the keeper; secrets_wipe also in the child. */
#include "launcher/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/preflight.h"

enum { SECRET_MAX = 1 << 20 };

#define miss_text(miss, ...) str_format((miss)->text, sizeof((miss)->text), __VA_ARGS__)
#define miss_hint(miss, ...) str_format((miss)->hint, sizeof((miss)->hint), __VA_ARGS__)

/* ---- preflight ---- */

static void refuse_path(const struct spec_secret *secret, int result, const char *real,
			struct misses *misses)
{
	struct miss *m = preflight_miss(misses, "secrets", secret->origin);

	miss_text(m, "%s: %s", secret->file, strerrordesc_np(-result));
	if (result == -ELOOP) {
		miss_text(m, "%s: %s is a link that root did not make", secret->file, real);
		miss_hint(m, "Whoever owns a link chooses what would be shown. Write the real "
			     "path.");
	} else if (result == -ENOENT) {
		miss_hint(m, "Make it first, or correct the path.");
	} else {
		miss_hint(m, "The caller must be able to read it.");
	}
}

static void look_at(struct decision *d, const struct spec_secret *secret, struct source_fact *ret,
		    struct misses *misses)
{
	char real[PATH_MAX];
	struct statx st = {0};
	struct miss *m;
	int r = path_resolve_trusted(secret->file, real, sizeof(real));

	if (r == 0)
		r = sys_statx(AT_FDCWD, real, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st);
	if (r == 0 && !S_ISREG(st.stx_mode)) {
		m = preflight_miss(misses, "secrets", secret->origin);
		miss_text(m, "%s: is not a regular file", secret->file);
		miss_hint(m, "A secret is the content of one file.");
		return;
	}
	if (r == 0 && st.stx_size > SECRET_MAX) {
		m = preflight_miss(misses, "secrets", secret->origin);
		miss_text(m, "%s: has %llu bytes; a secret has at most %d", secret->file,
			  (unsigned long long)st.stx_size, SECRET_MAX);
		miss_hint(m, "It is held in memory. Show a larger file as a volume.");
		return;
	}
	if (r == 0 && faccessat(AT_FDCWD, real, R_OK, AT_EACCESS) != 0)
		r = -errno;
	*ret = (struct source_fact){.dev_major = st.stx_dev_major,
				    .dev_minor = st.stx_dev_minor,
				    .ino = st.stx_ino,
				    .path = arena_strdup(&d->arena, real)};
	if (r == 0 && ret->path == NULL)
		r = -ENOMEM;
	if (r < 0)
		refuse_path(secret, r, real, misses);
}

void secrets_look(struct decision *decision, struct misses *misses)
{
	const struct sandbox_spec *spec = &decision->spec;
	struct source_fact *facts =
		arena_array(&decision->arena, spec->n_secrets + 1, sizeof(*facts));

	decision->secrets = facts;
	for (size_t i = 0; i < spec->n_secrets; i++) {
		if (facts == NULL)
			refuse_path(&spec->secrets[i], -ENOMEM, "", misses);
		else
			look_at(decision, &spec->secrets[i], &facts[i], misses);
	}
}

/* ---- reading ---- */

static int open_secret(const struct source_fact *fact, size_t *ret_size)
{
	_cleanup_fd_ int fd =
		sys_openat2(AT_FDCWD, fact->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0,
			    RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	struct statx st;
	int r = fd < 0 ? fd : sys_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st);

	if (r < 0)
		return r;
	if (st.stx_ino != fact->ino || st.stx_dev_major != fact->dev_major ||
	    st.stx_dev_minor != fact->dev_minor || !S_ISREG(st.stx_mode))
		return -ESTALE;
	if (st.stx_size > SECRET_MAX)
		return -EFBIG;
	*ret_size = st.stx_size;
	return steal_fd(&fd);
}

/* All of the file, which has size bytes and no more. */
static int read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	/* One byte of room more than it has: what has grown is seen. */
	while ((n = read(fd, buf + len, size + 1 - len)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? (size_t)n : 0;
		if (len > size)
			return -ESTALE;
	}
	return len == size ? 0 : -ESTALE;
}

/* Memory of SECRET_MAX bytes and one more for each. Only what is written to takes place. */
static int make_memory(struct launch *launch)
{
	size_t size = launch->spec->n_secrets * (SECRET_MAX + 1);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	launch->secret_memory = memory;
	launch->secret_memory_size = size;
	return madvise(memory, size, MADV_DONTDUMP) != 0 ? -errno : 0;
}

static int read_one(struct launch *launch, size_t index)
{
	char *data = launch->secret_memory + index * (SECRET_MAX + 1);
	size_t size = 0;
	_cleanup_fd_ int fd = open_secret(&launch->decision->secrets[index], &size);

	if (fd < 0)
		return fd;
	ignore_result(mlock(data, size + 1) != 0,
		      "RLIMIT_MEMLOCK may be small; swap is then the host's to encrypt");
	launch->secrets[index] = (struct rootfs_secret){.data = data, .len = size};
	return read_all(fd, data, size);
}

int secrets_read(struct launch *launch, struct err *err)
{
	int r;

	if (launch->spec->n_secrets == 0)
		return 0;
	r = make_memory(launch);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "memory for secrets");
	for (size_t i = 0; i < launch->spec->n_secrets; i++) {
		r = read_one(launch, i);
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "%s: read the secret",
				       launch->spec->secrets[i].file);
	}
	return 0;
}

void secrets_wipe(struct launch *launch)
{
	for (size_t i = 0; launch->secret_memory != NULL && i < launch->spec->n_secrets; i++)
		if (launch->secrets[i].data != NULL)
			explicit_bzero(launch->secret_memory + i * (SECRET_MAX + 1),
				       launch->secrets[i].len + 1);
}

void secrets_release(struct launch *launch)
{
	secrets_wipe(launch);
	if (launch->secret_memory != NULL)
		ignore_result(munmap(launch->secret_memory, launch->secret_memory_size) != 0,
			      "it is wiped");
	launch->secret_memory = NULL;
}
