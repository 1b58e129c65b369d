/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bombs of memory: the program's own, and what the kernel holds for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

#include "examples/bombs/bombs.h"

enum { PAGE = 4096, FULL_MEMFD = 64 << 20, MESSAGE = 8192 };

static char block[BOMB_BLOCK];

static int map(struct charge *charge, bool touches)
{
	for (; charge->done < charge->count; charge->done++) {
		char *p = mmap(NULL, BOMB_BLOCK, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p == MAP_FAILED)
			return errno;
		for (size_t i = 0; touches && i < BOMB_BLOCK; i += PAGE)
			p[i] = 1;
	}
	return 0;
}

static int run_touch(struct charge *charge)
{
	return map(charge, true);
}

static int run_map(struct charge *charge)
{
	return map(charge, false);
}

/* One page each; neighbours differ in their rights, so that the kernel does not make them one. */
static int run_mappings(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++)
		if (mmap(NULL, PAGE, charge->done % 2 == 0 ? PROT_READ : PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
			return errno;
	return 0;
}

static int run_lock(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++) {
		char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED || mlock(p, PAGE) != 0)
			return errno;
	}
	return 0;
}

static int run_memfd(struct charge *charge)
{
	int fd = -1;

	for (; charge->done < charge->count; charge->done++) {
		if (charge->done % (FULL_MEMFD / BOMB_BLOCK) == 0)
			fd = memfd_create("bomb", MFD_CLOEXEC);
		if (fd < 0 || write(fd, block, BOMB_BLOCK) != BOMB_BLOCK)
			return errno;
	}
	return 0;
}

static int run_shm(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++) {
		int id = shmget(IPC_PRIVATE, BOMB_BLOCK, IPC_CREAT | 0600);
		void *p = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
		int error = errno;

		/* It goes when nobody has it attached any more, also where no namespace ends. */
		if (id >= 0)
			shmctl(id, IPC_RMID, NULL);
		if (p == (void *)-1)
			return error;
		memset(p, 1, BOMB_BLOCK);
	}
	return 0;
}

/* As much as goes in without a reader. */
static void fill_up(int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (write(fd, block, PAGE) > 0)
		;
}

static int run_pipes(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++) {
		int fds[2];

		if (pipe(fds) != 0)
			return errno;
		fill_up(fds[1]);
	}
	return 0;
}

static int run_sockets(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++) {
		int fds[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
			return errno;
		fill_up(fds[0]);
		fill_up(fds[1]);
	}
	return 0;
}

/* Queues that outlive their process: they end with the namespace, or here. */
static int run_messages(struct charge *charge)
{
	static int queues[1024];
	struct {
		long type;
		char text[MESSAGE - sizeof(long)];
	} message = {.type = 1};
	int error = 0;

	for (; error == 0 && charge->done < charge->count; charge->done += error == 0) {
		int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

		if (id < 0) {
			error = errno;
			break;
		}
		queues[charge->done] = id;
		while (msgsnd(id, &message, sizeof(message.text), IPC_NOWAIT) == 0)
			;
		if (errno != EAGAIN)
			error = errno;
	}
	for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]) && queues[i] != 0; i++)
		msgctl(queues[i], IPC_RMID, NULL);
	return error;
}

const struct bomb bombs_of_memory[] = {
	{"touch", "MiB", 256, 768, run_touch, "memory that is used", "limits.memory: the end", NULL,
	 NULL},
	{"map", "MiB", 256, 1 << 20, run_map, "address space that is not used",
	 "ulimits.as: ENOMEM", NULL, NULL},
	{"mappings", "mappings", 70000, 100000, run_mappings, "records of mappings",
	 "the kernel's vm.max_map_count: ENOMEM; limits.memory: the end", NULL, NULL},
	{"lock", "pages", 4096, 16384, run_lock, "memory that cannot be swapped out",
	 "ulimits.memlock: ENOMEM", NULL, NULL},
	{"memfd", "MiB", 256, 768, run_memfd, "files without a name", "limits.memory: the end",
	 NULL, NULL},
	{"shm", "MiB", 256, 768, run_shm, "System V shared memory", "limits.memory: the end", NULL,
	 NULL},
	{"pipes", "pipes", 4000, 8000, run_pipes, "buffers of pipes",
	 "ulimits.nofile: EMFILE; limits.memory: the end", NULL, NULL},
	{"sockets", "pairs", 1000, 2000, run_sockets, "buffers of sockets",
	 "ulimits.nofile: EMFILE; limits.memory: the end", NULL, NULL},
	{"messages", "queues", 1000, 1024, run_messages, "System V message queues",
	 "limits.memory: the end", NULL, NULL},
	{.name = NULL},
};
