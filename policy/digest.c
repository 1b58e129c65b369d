/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SHA-256 by libmd. OpenSSL's library asks the processor what it can do before main(), which a
 * virtual machine answers by leaving the guest each time: more than the digest itself costs.
 */
#include "policy/digest.h"

#include <sha2.h>
#include <string.h>

_Static_assert(DIGEST_TEXT_SIZE == sizeof("sha256:") + (size_t)2 * SHA256_DIGEST_LENGTH,
	       "as hex digits");

void digest_text(const void *data, size_t len, char buf[DIGEST_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef", prefix[] = "sha256:";
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char *out = buf + sizeof(prefix) - 1;
	SHA2_CTX sha;

	memcpy(buf, prefix, sizeof(prefix));
	SHA256Init(&sha);
	SHA256Update(&sha, data, len);
	SHA256Final(digest, &sha);
	for (size_t i = 0; i < sizeof(digest); i++) {
		*out++ = digits[digest[i] >> 4];
		*out++ = digits[digest[i] & 15];
	}
	*out = '\0';
}

const char *digest_sha256(struct policy_ctx *ctx, const void *data, size_t len)
{
	char text[DIGEST_TEXT_SIZE];

	digest_text(data, len, text);
	return ctx_copy(ctx, text, strlen(text));
}
