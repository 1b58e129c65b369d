/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon image ls --format`: cordon-image says what there is, a line of words for each image
 * (libexec/image/list.c), and it is printed here as `cordon ps --format` prints sandboxes. Times
 * are those at which an image came here.
 */
#include <errno.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/document.h"
#include "cmd/helper.h"
#include "cmd/image.h"
#include "cmd/look.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "cmd/template.h"
#include "storage/store.h"

enum { SHORT_ID = 12, GAP = 3, COLUMNS_MAX = 16, LIST_MAX = 64 << 20 };

static const char known[] = "{{.Architecture}}, {{.CreatedAt}}, {{.CreatedSince}}, {{.Digest}}, "
			    "{{.ID}}, {{.Layers}}, {{.Name}}, {{.Repository}}, {{.Size}}, "
			    "{{.Source}}, {{.Tag}}, {{json .FIELD}} and {{json .}}";
static const char default_format[] = "table {{.Name}}\t{{.ID}}\t{{.Size}}\t{{.CreatedSince}}";

/* One line of cordon-image's. */
struct image {
	const char *name; /* "<none>": it has none */
	const char *id;
	const char *layers;
	const char *architecture;
	const char *source;
	int64_t imported_ms;
	const char *size;
};

struct listing {
	const struct words *words;
	struct template template;
	int64_t now_ms;
	struct document document; /* room for JSON */
	struct page page;
	struct image *images;
	size_t n;
};

/* ---- fields ---- */

/* Where the tag begins: at ':' behind the last '/', for a registry may have a port. */
static const char *tag_of(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon != NULL && strchr(colon, '/') == NULL ? colon + 1 : "<none>";
}

static void put_repository(const struct image *image, struct page *page)
{
	const char *tag = tag_of(image->name);
	size_t len = strlen(image->name);

	if (!str_equal(tag, "<none>"))
		len -= strlen(tag) + 1;
	page_put(page, image->name, len);
}

static void put_since(const struct listing *listing, const struct image *image, struct page *page)
{
	char text[64];

	look_duration(listing->now_ms - image->imported_ms, text, sizeof(text));
	page_format(page, "%s ago", text);
}

static void put_at(const struct image *image, struct page *page)
{
	char text[64];

	look_date(image->imported_ms, text, sizeof(text));
	page_text(page, text);
}

/* In the order of {{json .}}. */
static const struct column {
	const char *name;
	const char *heading;
} fields[] = {
	{"Architecture", "ARCHITECTURE"},
	{"CreatedAt", "IMPORTED AT"},
	{"CreatedSince", "IMPORTED"},
	{"Digest", "DIGEST"},
	{"ID", "ID"},
	{"Layers", "LAYERS"},
	{"Name", "NAME"},
	{"Repository", "REPOSITORY"},
	{"Size", "SIZE"},
	{"Source", "SOURCE"},
	{"Tag", "TAG"},
};
enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };

static const struct column *find_column(const char *name)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		if (str_equal(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static void put_field(const struct listing *listing, const struct image *image, const char *name,
		      struct page *page)
{
	bool is_whole = words_has(listing->words, "--no-trunc");

	if (str_equal(name, "Architecture"))
		page_text(page, image->architecture);
	else if (str_equal(name, "CreatedAt"))
		put_at(image, page);
	else if (str_equal(name, "CreatedSince"))
		put_since(listing, image, page);
	else if (str_equal(name, "Digest"))
		page_format(page, "sha256:%s", image->id);
	else if (str_equal(name, "ID"))
		page_format(page, "%.*s", is_whole ? STORE_HEX_SIZE - 1 : SHORT_ID, image->id);
	else if (str_equal(name, "Layers"))
		page_text(page, image->layers);
	else if (str_equal(name, "Name"))
		page_text(page, image->name);
	else if (str_equal(name, "Repository"))
		put_repository(image, page);
	else if (str_equal(name, "Size"))
		page_text(page, image->size);
	else if (str_equal(name, "Source"))
		page_text(page, image->source);
	else if (str_equal(name, "Tag"))
		page_text(page, tag_of(image->name));
}

/* ---- a line ---- */

static void put_field_json(struct listing *listing, const struct image *image, const char *name,
			   const char *key)
{
	struct page value = {0};

	put_field(listing, image, name, &value);
	json_text(&listing->document.json, key, page_string(&value));
	listing->page.failed |= value.failed;
	page_free(&value);
}

/* Of one field, or of all: an object. */
static void put_json(struct listing *listing, const struct image *image, const char *word,
		     struct page *page)
{
	struct json *json = &listing->document.json;
	ssize_t len;

	json_init(json, listing->document.buf, json->size);
	if (word[0] != '\0') {
		put_field_json(listing, image, word, NULL);
	} else {
		json_open(json, NULL, '{');
		for (size_t i = 0; i < N_FIELDS; i++)
			put_field_json(listing, image, fields[i].name, fields[i].name);
		json_close(json, '}');
	}
	len = json_finish(json);
	if (len >= 0)
		page_put(page, listing->document.buf, (size_t)len);
	else
		page->failed = true;
}

/* image: NULL for the headings. */
static void put_line(struct listing *listing, const struct image *image, struct page *page)
{
	for (size_t i = 0; i < listing->template.n; i++) {
		const struct template_part *part = &listing->template.parts[i];
		const struct column *column = find_column(part->word);
		struct page value = {0};

		if (part->kind == TEMPLATE_TEXT) {
			page_text(page, part->word);
		} else if (image == NULL) {
			page_text(page, column != NULL ? column->heading : "JSON");
		} else if (part->kind == TEMPLATE_JSON) {
			put_json(listing, image, part->word, page);
		} else {
			put_field(listing, image, part->word, &value);
			page_value(page, page_string(&value));
			page->failed |= value.failed;
			page_free(&value);
		}
	}
}

/* ---- a table: cells are parted by tabs, which no value has ---- */

static void measure(const char *line, size_t widths[COLUMNS_MAX])
{
	for (size_t column = 0; *line != '\0' && column < COLUMNS_MAX; column++) {
		size_t len = strcspn(line, "\t");
		_cleanup_free_ char *cell = strndup(line, len);
		size_t width = cell != NULL ? table_width(cell) : 0;

		widths[column] = width > widths[column] ? width : widths[column];
		line += len + (line[len] == '\t');
	}
}

static void put_cells(const char *line, const size_t widths[COLUMNS_MAX], struct page *page)
{
	for (size_t column = 0; *line != '\0'; column++) {
		size_t len = strcspn(line, "\t");
		_cleanup_free_ char *cell = strndup(line, len);
		bool is_last = line[len] == '\0';
		size_t wanted = column < COLUMNS_MAX ? widths[column] + GAP : GAP;

		page->failed |= cell == NULL;
		page_put(page, line, len);
		for (size_t used = cell != NULL ? table_width(cell) : 0; !is_last && used < wanted;
		     used++)
			page_text(page, " ");
		line += len + !is_last;
	}
	page_text(page, "\n");
}

static void put_table(struct listing *listing)
{
	struct page *lines = calloc(listing->n + 1, sizeof(*lines));
	size_t widths[COLUMNS_MAX] = {0};

	listing->page.failed |= lines == NULL;
	for (size_t i = 0; lines != NULL && i <= listing->n; i++) {
		put_line(listing, i == 0 ? NULL : &listing->images[i - 1], &lines[i]);
		listing->page.failed |= lines[i].failed;
		measure(page_string(&lines[i]), widths);
	}
	for (size_t i = 0; lines != NULL && i <= listing->n; i++) {
		put_cells(page_string(&lines[i]), widths, &listing->page);
		page_free(&lines[i]);
	}
	free(lines);
}

static int print_images(struct listing *listing)
{
	if (listing->template.is_table)
		put_table(listing);
	for (size_t i = 0; !listing->template.is_table && i < listing->n; i++) {
		put_line(listing, &listing->images[i], &listing->page);
		page_text(&listing->page, "\n");
	}
	return page_print(&listing->page, 0);
}

/* ---- what cordon-image says ---- */

/* Changes the line. */
static int read_line(char *line, struct image *ret)
{
	const char *words[6] = {NULL};
	uint64_t seconds;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		words[i] = strsep(&line, " ");
		if (line == NULL)
			return -EBADMSG;
	}
	if (parse_u64(words[5], &seconds) < 0 || seconds > INT64_MAX / 1000 ||
	    !store_is_hex(words[1]))
		return -EBADMSG;
	*ret = (struct image){.name = words[0],
			      .id = words[1],
			      .layers = words[2],
			      .architecture = words[3],
			      .source = words[4],
			      .imported_ms = (int64_t)seconds * 1000,
			      .size = line};
	return 0;
}

static int read_images(struct listing *listing, char *text)
{
	size_t room = 0;
	char *line;
	int r = 0;

	for (const char *at = text; *at != '\0'; at++)
		room += *at == '\n';
	listing->images = calloc(room + 1, sizeof(*listing->images));
	if (listing->images == NULL)
		return -ENOMEM;
	while (r == 0 && listing->n < room && (line = strsep(&text, "\n")) != NULL) {
		r = read_line(line, &listing->images[listing->n]);
		listing->n += r == 0;
	}
	return r;
}

static int read_fd(int fd, char **ret, struct err *err)
{
	struct stat st;
	char *text;

	if (fstat(fd, &st) != 0 || st.st_size > LIST_MAX)
		return err_set(err, ERR_SETUP, EFBIG, "the list of images");
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "the list of images");
	if (pread(fd, text, (size_t)st.st_size, 0) != st.st_size) {
		free(text);
		return err_set(err, ERR_SETUP, EIO, "the list of images");
	}
	text[st.st_size] = '\0';
	*ret = text;
	return 0;
}

/* Returns the exit code of cordon-image, or a negative errno. */
static int ask(const struct cmd_context *context, const struct words *words, char **ret,
	       struct err *err)
{
	_cleanup_free_ struct helper *h = NULL;
	_cleanup_fd_ int fd = -EBADF;
	char store[PATH_MAX];
	int r = cmd_image_store(context, store, err);

	if (r < 0)
		return r;
	h = malloc(sizeof(*h));
	fd = sys_memfd_create("images", MFD_CLOEXEC);
	if (h == NULL || fd < 0)
		return err_set(err, ERR_SETUP, fd < 0 ? -fd : ENOMEM, "the list of images");
	helper_init(h, store, "ls");
	helper_put(h, "--fields", "");
	helper_put_fd(h, "", fd);
	helper_put_truth(h, "--all", words_has(words, "--all"));
	if (words_value(words, "--filter") != NULL) {
		helper_put(h, "--filter", "");
		helper_put(h, words_value(words, "--filter"), "");
	}
	r = helper_run(h, err);
	return r == 0 ? read_fd(fd, ret, err) : r;
}

/* ---- the command ---- */

static int read_format(struct listing *listing, struct err *err)
{
	const char *format = words_value(listing->words, "--format");
	int r;

	if (words_has(listing->words, "--quiet") || listing->words->wants_json)
		return err_set(err, ERR_USAGE, 0,
			       "--quiet, --json and --format are three forms: choose one");
	if (format[0] == '\0' || str_equal(format, "table"))
		format = default_format;
	r = template_read(str_equal(format, "json") ? "{{json .}}" : format, known,
			  &listing->template, err);
	for (size_t i = 0; r == 0 && i < listing->template.n; i++) {
		const struct template_part *part = &listing->template.parts[i];
		bool is_whole = part->kind == TEMPLATE_JSON && part->word[0] == '\0';

		if (part->kind == TEMPLATE_LABEL ||
		    (part->kind != TEMPLATE_TEXT && !is_whole && find_column(part->word) == NULL))
			r = template_refuse(part->word, known, err);
	}
	return r;
}

int image_list(const struct cmd_context *context, const struct words *words, struct err *err)
{
	struct listing listing = {.words = words, .now_ms = (int64_t)time(NULL) * 1000};
	_cleanup_free_ char *text = NULL;
	int r = read_format(&listing, err);

	if (r == 0 && words->n > 0) {
		err_set(err, ERR_USAGE, 0, "image ls wants no words");
		r = err_hint(err, "For example: cordon image ls --filter 'reference=debian*'");
	}
	if (r == 0)
		r = ask(context, words, &text, err);
	if (r == 0 && (text == NULL || read_images(&listing, text) < 0))
		r = err_set(err, ERR_SETUP, EBADMSG, "the list of images");
	if (r == 0 && document_alloc(&listing.document) < 0)
		r = EXIT_CORDON;
	if (r == 0)
		r = print_images(&listing);
	document_free(&listing.document);
	free(listing.images);
	return r;
}
