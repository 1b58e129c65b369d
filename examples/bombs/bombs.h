/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rooms of the bomb program, and what they share. */
#ifndef BOMBS_H
#define BOMBS_H

enum { BOMB_SECONDS = 20, BOMB_HOLD_SECONDS = 120, BOMB_PROCESSES = 500, BOMB_BLOCK = 1 << 20 };

/* What a bomb may use, and how far it came. */
struct charge {
	unsigned long count; /* units to take, at most */
	unsigned long done;  /* units taken */
	const char *dir;     /* for files; no slash at its end */
};

/*
 * One bomb. It takes one unit after the other, keeps all of them until its process ends, and
 * returns 0 where it got all, or the errno that it was refused with. None asks for a privilege, and
 * none takes more than `most` units or BOMB_SECONDS, whoever runs it where. With --wait it may be
 * asked to hold what it has for BOMB_HOLD_SECONDS.
 */
struct bomb {
	const char *name;
	const char *unit;
	unsigned long count; /* taken where the command line names no number */
	unsigned long most;  /* a larger number is refused */
	int (*run)(struct charge *charge);
	const char *exhausts;
	const char *stopped_by; /* keys of a policy, and what the bomb is told then */
	const char *dir;        /* where it makes files, NULL for those that make none */
	/* Removes what would outlive the process; NULL where nothing does. */
	void (*give_back)(const struct charge *charge);
};

/* A new file "DIR/bomb-N", or -1. */
int bomb_make_file(const struct charge *charge, unsigned long n);
void bomb_remove_file(const struct charge *charge, unsigned long n);
/* Removes the first `done` of them. */
void bomb_remove_files(const struct charge *charge);

/* Each ends with an entry whose name is NULL. */
extern const struct bomb bombs_of_tasks[];
extern const struct bomb bombs_of_memory[];
extern const struct bomb bombs_of_files[];
extern const struct bomb bombs_of_kernel[];

#endif
