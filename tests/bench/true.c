/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the benchmark launches: the least that a program can do, as one static file. */
int main(void)
{
	return 0;
}
