/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SHA-256 by libcrypto's low-level functions. OpenSSL 3 marks them as deprecated in favour of EVP,
 * but EVP links every algorithm and the provider loader into a static program and initialises them
 * at run time: that is megabytes and a millisecond for one digest.
 */
#include "policy/digest.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <openssl/sha.h>
#include <string.h>

const char *digest_sha256(struct policy_ctx *ctx, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char text[sizeof("sha256:") + 2 * sizeof(digest)] = "sha256:";
	char *out = text + strlen(text);
	SHA256_CTX sha;

	if (!SHA256_Init(&sha) || !SHA256_Update(&sha, data, len) || !SHA256_Final(digest, &sha))
		return ""; /* cannot fail by its manual page; an empty digest matches nothing */
	for (size_t i = 0; i < sizeof(digest); i++) {
		*out++ = digits[digest[i] >> 4];
		*out++ = digits[digest[i] & 15];
	}
	return ctx_copy(ctx, text, (size_t)(out - text));
}
