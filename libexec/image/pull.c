/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon image pull REF [NAME]`: skopeo gets the image from its registry, as an OCI layout below
 * making/, which is then loaded like any other. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/importer.h"

enum { REF_MAX = 512 };

static bool is_reference(const char *text)
{
	static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "._-/:@";

	return text[0] != '\0' && text[0] != '-' && strlen(text) < REF_MAX &&
	       text[strspn(text, all)] == '\0' && strstr(text, "://") == NULL;
}

static _Noreturn void run_skopeo(const char *ref, int work)
{
	char from[REF_MAX + 16], to[] = "oci:pull:image";
	char *argv[] = {(char *)"skopeo", (char *)"copy", from, to, NULL};
	sigset_t none;

	str_format(from, sizeof(from), "docker://%s", ref);
	sigemptyset(&none);
	/* Its words are no answer of ours. */
	if (fchdir(work) != 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		_exit(126);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static int fetch(struct importer *im, const char *ref, struct err *err)
{
	pid_t pid = fork();
	siginfo_t info = {0};
	int r;

	if (pid == 0)
		run_skopeo(ref, im->work.fd);
	if (pid < 0)
		return err_set(err, ERR_SETUP, errno, "fork skopeo");
	r = sys_waitid(P_PID, (id_t)pid, &info, WEXITED, NULL);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "wait for skopeo");
	if (info.si_code == CLD_EXITED && info.si_status == 0)
		return 0;
	if (info.si_code == CLD_EXITED && info.si_status == 127) {
		err_set(err, ERR_SETUP, 0,
			"skopeo, which gets images from registries, is not in "
			"PATH");
		return err_hint(err, "apt-get install skopeo; or get the image as an archive, and "
				     "`cordon image load` it.");
	}
	return err_set(err, ERR_SETUP, 0, "skopeo could not get %s", ref);
}

static int pull(struct importer *im, const char *ref, const char *name, struct err *err)
{
	_cleanup_fd_ int layout = -EBADF;
	int r = fetch(im, ref, err);

	if (r < 0)
		return r;
	layout =
		sys_openat(im->work.fd, "pull", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	return layout < 0 ? err_set(err, ERR_SETUP, -layout, "%s: what skopeo wrote", ref)
			  : load_from(im, layout, name, err);
}

int command_pull(const struct command *command, struct err *err)
{
	const char *ref = command->words[0];
	const char *word = command->words[1] != NULL ? command->words[1] : ref;
	char name[STORE_NAME_MAX + 1];
	struct store store;
	struct importer im;
	int r;

	if (!is_reference(ref))
		return err_set(err, ERR_USAGE, 0, "%s: not the name of an image in a registry",
			       ref);
	r = store_name_parse(word, name, err);
	if (r < 0 && command->words[1] == NULL)
		return err_hint(err, "Say the name to keep it by: cordon image pull %s NAME.", ref);
	if (r == 0)
		r = store_open(command->state, true, &store, err);
	if (r < 0)
		return r;
	r = importer_init(&im, &store, &command->limits, command->is_quiet, err);
	if (r == 0) {
		im.what = ref;
		im.is_quiet = command->is_quiet;
		r = pull(&im, ref, name, err);
		importer_release(&im);
	}
	store_release(&store);
	return r;
}
