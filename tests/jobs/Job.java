// SPDX-License-Identifier: LGPL-2.1-or-later
// What Java programs do: threads, files, a child process, a local socket, cryptography, memory that is
// collected. The suite runs Job.class.base64, since the compiler is larger than the runtime:
//     javac --release 17 -g:none -d . Job.java && base64 Job.class >Job.class.base64
import java.io.File;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

public class Job {
	static void check(boolean good, String what) {
		if (!good)
			throw new AssertionError(what);
	}

	public static void main(String[] args) throws Exception {
		check(IntStream.range(0, 100).parallel().map(x -> x * x).sum() == 328350, "threads");
		Path file = Path.of("made.txt");
		Files.writeString(file, "from java\n");
		Process cat = new ProcessBuilder("cat", file.toString())
			.redirectOutput(new File("copy.txt")).start();
		check(cat.waitFor() == 0 && Files.mismatch(file, Path.of("copy.txt")) == -1, "process");
		try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			CompletableFuture<Integer> got = CompletableFuture.supplyAsync(() -> {
				try (Socket peer = server.accept()) {
					return peer.getInputStream().read();
				} catch (Exception e) {
					return -1;
				}
			});
			try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
				socket.getOutputStream().write(42);
			}
			check(got.get() == 42, "socket");
		}
		check(MessageDigest.getInstance("SHA-256").digest()[0] == (byte) 0xe3, "digest");
		for (int i = 0; i < 200; i++)
			check(new byte[4 << 20].length > 0, "memory");
		System.out.println("java ok");
	}
}
