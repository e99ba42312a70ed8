import Testing

@testable import Tender

struct ValueTests {
    @Test(arguments: [
        ("0", 0), ("4096", 4096), ("1b", 1), ("2k", 2048), ("2K", 2048), ("512M", 512 << 20),
        ("512MB", 512 << 20), ("512MiB", 512 << 20), ("3g", 3 << 30), ("1T", 1 << 40),
    ])
    func sizesAreReadAsDockerReadsThem(text: String, bytes: UInt64) {
        #expect(MemorySize(parsing: text)?.bytes == bytes)
    }

    @Test(arguments: ["", "M", "-1M", "1X", "1.5.2", "1MM", "18446744073709551615", "9999999999G"])
    func whatIsNoSizeIsRefused(text: String) { #expect(MemorySize(parsing: text) == nil) }

    @Test(arguments: [
        ("disk.img", "disk.img", false), ("/a/b:ro", "/a/b", true), ("/a/b:rw", "/a/b", false),
        ("a:b", "a:b", false), (":ro", "", true),
    ])
    func disksAreFilesThatMayBeReadOnly(text: String, path: String, isReadOnly: Bool) {
        let disk = DiskRequest(parsing: text)
        #expect(disk.path == path)
        #expect(disk.isReadOnly == isReadOnly)
    }

    @Test func usersAreNumbers() {
        #expect(UserIdentity(parsing: "7") == UserIdentity(user: 7, group: 0))
        #expect(UserIdentity(parsing: "7:8") == UserIdentity(user: 7, group: 8))
        for text in ["", ":", "7:", ":8", "1:2:3", "root", "-1", "4294967295"] {
            #expect(UserIdentity(parsing: text) == nil)
        }
    }

    @Test(arguments: [
        ("./a", "/", "/a"), ("a/../b", "/", "/b"), ("../../a", "/x", "/a"),
        ("/a//b/.", "/x", "/a/b"),
        ("a", "/x/y", "/x/y/a"), ("/", "/", "/"),
    ])
    func guestPathsAreMadeAbsolute(path: String, directory: String, result: String) {
        #expect(GuestPath.resolve(path, in: directory) == result)
    }

    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func digestsAreThoseOfTheStandard(text: String, digest: String) {
        var whole = SHA256()
        whole.update(text.utf8)
        #expect(whole.hexadecimal() == digest)
        var pieces = SHA256()
        for byte in text.utf8 { pieces.update([byte]) }
        #expect(pieces.hexadecimal() == digest)
    }

    @Test func statisticsSkipWhatTheyDoNotKnow() {
        let table = StatisticsTable(
            """
            value peak_bytes 10
            site 0x401000 trapped jit 5
            site 0x402000 rewritten mov 1
            future thing 1 2
            call read x 0 0 0 0
            call read 3 1
            """,
            symbol: { $0 == 0x401000 ? "main" : nil }
        ).rendered()
        #expect(
            table == """

                sites
                  site      caught  state      reason  symbol
                  0x401000       5  trapped    jit     main
                  0x402000       1  rewritten  mov

                kernel
                  peak_bytes  10

                """
        )
    }
}
