/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The importer: moves bytes between confined processes, computes digests, fills the store. */
#ifndef CORDON_LIBEXEC_IMAGE_IMPORTER_H
#define CORDON_LIBEXEC_IMAGE_IMPORTER_H

#include "libexec/image/stages.h"
#include "storage/image_record.h"
#include "storage/store.h"

struct importer {
	struct store *store;
	struct store_work work;
	struct image_limits limits;
	bool is_root;
	bool shows_progress;
	bool is_quiet;
	const char *what; /* what is being read, for progress and messages */
};

int must_check importer_init(struct importer *im, struct store *store,
			     const struct image_limits *limits, bool is_quiet, struct err *err);
void importer_release(struct importer *im);

/* Whether somebody wants this process to end: ^C, SIGTERM. They are blocked meanwhile, so that
 * nothing is left behind. */
bool importer_is_interrupted(void);

/* ---- flow.c ---- */

enum { FLOW_TAIL_MAX = 2048 };

struct flow_result {
	char hex[STORE_HEX_SIZE]; /* of the tar without compression, and without the tail */
	uint64_t n_bytes;
	bool has_end; /* the tar has its end mark */
	char tail[FLOW_TAIL_MAX];
	size_t n_tail;       /* less than was asked for: all of it was shorter */
	uint64_t n_left_out; /* by the packer */
	struct worker_report report;
};

/* Of a sealed archive (seal.h): its last tail_len bytes are not part of the digest, and its first
 * ones are wanted. */
struct flow_seal {
	size_t tail_len; /* at most FLOW_TAIL_MAX */
	char *head;      /* NULL: not wanted */
	size_t head_size;
	size_t n_head; /* what was put into it */
};

/* input: an archive, or with is_dir a directory to be packed first. into: an empty directory that
 * the unpacker may fill. */
struct flow {
	int input;
	bool is_dir;
	enum pack_kind kind; /* with is_dir */
	int into;
	enum unpack_kind unpack;
	int owners;
	int skipped;
	const struct flow_ends *ends; /* NULL: those of the store */
	struct flow_seal *seal;       /* NULL: none */
};
/* Other ends than the store's. */
struct flow_ends {
	enum confine_kind pack; /* where is_dir */
	enum pack_kind packs;
	const char *as;
	const struct worker_inside *from_inside;
	enum confine_kind unpack;
	const char *only;
	bool keeps_owners;
	const struct worker_inside *to_inside;
};
int must_check flow_run(struct importer *im, const struct flow *flow, struct flow_result *ret,
			struct err *err);

/* SHA-256 of a file, from its beginning; leaves it there. */
int must_check flow_digest(struct importer *im, int fd, char ret_hex[STORE_HEX_SIZE],
			   uint64_t *ret_bytes, struct err *err);
void flow_digest_text(const void *data, size_t len, char ret_hex[STORE_HEX_SIZE]);

/* Packs a directory to a descriptor: of a layer, its `owners` as well. */
struct packed_tree {
	enum pack_kind kind;
	int dir;
	int owners;                         /* -EBADF: none */
	const char *as;                     /* NULL: "" */
	const struct worker_inside *inside; /* NULL: on the host */
	/* Written first, and part of the digest. */
	const char *before;
	size_t n_before;
	size_t tail_len; /* so many bytes of the end are not written, but left in the result */
};
int must_check flow_pack(struct importer *im, const struct packed_tree *tree, int output,
			 struct flow_result *ret, struct err *err);

/* ---- layer.c ---- */

/* Makes making/NAME with tree, owners and skipped. */
struct layer_dir {
	int fd;
	int tree;
	int owners;
	int skipped;
};
int must_check layer_dir_make(struct importer *im, const char *name, struct layer_dir *ret,
			      struct err *err);
void layer_dir_release(struct layer_dir *layer);

/* One layer into the store. */
struct layer_input {
	int fd;
	bool is_dir;
	const char *expected; /* what its digest must be, or NULL: then its end mark is demanded */
	const struct flow_ends *ends; /* with is_dir, of a sandbox's; NULL: of the host's */
};
int must_check layer_import(struct importer *im, const struct layer_input *input,
			    char ret_hex[STORE_HEX_SIZE], struct err *err);

/* The image, when all its layers are there: configuration, record, name. config: its bytes. */
struct new_image {
	const char *config;
	size_t config_len;
	const struct image_record *record;
	const char *name; /* NULL: none yet */
};
int must_check layer_add_image(struct importer *im, const struct new_image *image,
			       char ret_hex[STORE_HEX_SIZE], struct err *err);
/* As below; that it was another image's until now is said: an archive says names by itself. */
int must_check layer_take_name(struct importer *im, const char *name, const char *hex,
			       struct err *err);
int must_check layer_add_name(struct importer *im, const char *name, const char *hex,
			      struct err *err);

/* ---- document.c ---- */

/* A JSON document of an archive: its bytes, and the parser's lines. */
struct document {
	char *text;
	size_t len;
	char hex[STORE_HEX_SIZE];
	char *lines; /* NUL-terminated */
};
void document_release(struct document *document);

/* Reads a file of the archive's. */
struct document_place {
	int dir;
	const char *path;
	const char *expected; /* its digest, or NULL */
	enum parse_kind kind;
};
int must_check document_read(struct importer *im, const struct document_place *place,
			     struct document *ret, struct err *err);
/* The parser's lines of text that is here already. */
int must_check document_parse(struct importer *im, enum parse_kind kind, struct document *document,
			      struct err *err);

/* The configuration that the composer writes (stages.h), read as one of an archive. input: what it
 * reads. */
int must_check document_compose(struct importer *im, const struct document *input,
				struct document *ret, struct err *err);

/* The next line at *at: its key, and its value in *ret_value; both end with NUL. NULL behind the
 * last one. Changes the text. */
char *document_next(char **at, char **ret_value);

/* What PARSE_CONFIG says, as a record without source and time. */
int must_check document_config(struct document *config, struct image_record *ret, struct err *err);

/* A file of the archive's, below dir whatever links are in it; regular. */
int must_check document_open(int dir, const char *path, struct err *err);

/* ---- commands: each returns the exit code ---- */

enum { COMMAND_FILTERS_MAX = 32 };

struct command {
	const char *state; /* the store's path */
	const char *run;   /* rm, prune: the run root; NULL: it was not said */
	int fields_fd;     /* ls: for cordon's own list (list.c); -EBADF: none */
	bool is_json;
	bool is_quiet;
	bool is_forced;     /* rm: of a kept sandbox as well */
	bool is_whole;      /* ls: ids are not cut */
	bool is_all;        /* ls: those without a name as well; prune: those with one */
	const char *filter; /* ls: KEY=VALUE, the last one; NULL: none */
	const char *filters[COMMAND_FILTERS_MAX]; /* prune: all of them */
	size_t n_filters;
	struct image_limits limits;
	char **words; /* ends with NULL */
	size_t n_words;
	/* Of volumes. */
	bool is_live;       /* what is copied may change meanwhile */
	bool replaces;      /* a volume of that name may be there */
	bool is_unverified; /* an archive without a seal will do */
	size_t n_marks;     /* descriptors from COMMAND_FIRST_MARK on (volume.c) */
};
enum { COMMAND_FIRST_MARK = 3 };
int must_check command_import(const struct command *command, struct err *err);
int must_check command_load(const struct command *command, struct err *err);
int must_check command_pull(const struct command *command, struct err *err);
int must_check command_save(const struct command *command, struct err *err);
int must_check command_ls(const struct command *command, struct err *err);
int must_check command_inspect(const struct command *command, struct err *err);
int must_check command_rm(const struct command *command, struct err *err);
int must_check command_prune(const struct command *command, struct err *err);
/* changes.c, commit.c and transfer.c, which have the words of cordon's that they read: no command
 * of its own. */
int must_check command_changes(const struct command *command, struct err *err);
int must_check command_commit(const struct command *command, struct err *err);
int must_check command_transfer(const struct command *command, struct err *err);
int must_check command_volume_backup(const struct command *command, struct err *err);
int must_check command_volume_restore(const struct command *command, struct err *err);
int must_check command_volume_clone(const struct command *command, struct err *err);

/* The store as it is; none is an empty one. 1: there is none. (remove.c) */
int must_check command_open_store(const struct command *command, struct store *ret,
				  struct err *err);
/* What a sweep has removed, and what stays (remove.c). */
void say_sweep(const struct command *command, const struct store_sweep *sweep, bool is_whole);
/* Says that a word is no image where there is none at all. */
int must_check command_refuse_empty(const char *word, struct err *err);

/* Opens what a word of the command line names: a file, a directory, or "-". */
int must_check command_open(const char *path, bool *ret_is_dir, struct err *err);

/* load.c, also for pull: an archive or a layout, and a name for an image that has none. */
int must_check load_from(struct importer *im, int source, const char *name, struct err *err);

/* say.c: cordon's own lines. */
void say_note(const char *fmt, ...) printf_like(1, 2); /* "cordon: TEXT" on stderr */
void say_err(const struct err *err);
void say_progress(const struct importer *im, uint64_t n_bytes, bool is_last);
/* "NAME sha256:HEX" on stdout, and what the image's layers have not got on stderr. */
int must_check say_loaded(struct importer *im, const char *name, struct err *err);
void say_size(uint64_t bytes, char *buf, size_t size);

#endif
