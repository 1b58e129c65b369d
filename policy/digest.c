/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SHA-256 by libmd. OpenSSL's library asks the processor what it can do before main(), which a
 * virtual machine answers by leaving the guest each time: more than the digest itself costs.
 */
#include "policy/digest.h"

#include <sha2.h>
#include <string.h>

const char *digest_sha256(struct policy_ctx *ctx, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char text[sizeof("sha256:") + 2 * sizeof(digest)] = "sha256:";
	char *out = text + strlen(text);
	SHA2_CTX sha;

	SHA256Init(&sha);
	SHA256Update(&sha, data, len);
	SHA256Final(digest, &sha);
	for (size_t i = 0; i < sizeof(digest); i++) {
		*out++ = digits[digest[i] >> 4];
		*out++ = digits[digest[i] & 15];
	}
	return ctx_copy(ctx, text, (size_t)(out - text));
}
