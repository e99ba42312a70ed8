import Foundation
import LaunchRecord
import Testing

/// `--rootfs`: folders and archives become images once, images are taken as they are.
struct RootTests {
    private let folder: TemporaryFolder
    private let cache: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        cache = try TemporaryFolder()
        try folder.add("root/bin/tool", ProgramImage().bytes, mode: 0o755)
        try folder.add("root/etc/motd", Array("hello\n".utf8))
    }

    private func run(_ root: String, _ command: String...) throws -> Outcome {
        try CommandFixture.run(
            ["--verbose", "--rootfs", root] + command,
            ["XDG_CACHE_HOME": cache.path],
            in: folder.path
        )
    }

    private var cached: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: cache.path + "/unirun/roots")
        }
    }

    @Test func aFolderBecomesAnImageOnce() throws {
        let first = try run("root", "/bin/tool", "record")
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.errors.contains("makes the root image of root"))
        let record = try RecordFixture(bytes: first.bytes)
        #expect(record.texts(.programPath) == ["/bin/tool"])
        #expect(record.numbers(.programSize).isEmpty)
        #expect(record.options?.subtracting(.severalProcessors) == .rootImage)
        let images = try cached
        #expect(images.count == 1)
        #expect(try run("root", "/bin/tool", "exit", "3").errors.contains("uses the root image"))
        #expect(try cached == images)
    }

    @Test func nothingIsSaidIntoAFile() throws {
        let outcome = try CommandFixture.run(
            ["--rootfs", "root", "/bin/tool", "exit", "0"],
            ["XDG_CACHE_HOME": cache.path],
            in: folder.path
        )
        #expect(outcome.errors.isEmpty)
    }

    @Test func aChangedFolderBecomesANewImageAndTheOldOneGoes() throws {
        _ = try run("root", "/bin/tool", "exit", "0")
        let before = try cached
        try folder.add("root/etc/motd", Array("jello\n".utf8))
        #expect(try run("root", "/bin/tool", "exit", "0").errors.contains("makes"))
        let after = try cached
        #expect(after.count == 1)
        #expect(after != before)
    }

    @Test func theImageHasNoInlineTails() throws {
        _ = try run("root", "/bin/tool", "exit", "0")
        let image = try Data(
            contentsOf: URL(fileURLWithPath: "\(cache.path)/unirun/roots/\(cached[0])")
        )
        #expect([UInt8](image[1024..<1028]) == [0xe2, 0xe1, 0xf5, 0xe0])
        // The small file's content begins a block of its own.
        let motd = try #require(image.range(of: Data("hello\n".utf8)))
        #expect(motd.lowerBound % 4096 == 0)
    }

    @Test func anImageIsUsedAsItIs() throws {
        _ = try run("root", "/bin/tool", "exit", "0")
        let image = try "\(cache.path)/unirun/roots/\(cached[0])"
        let outcome = try run(image, "/bin/tool", "descriptors")
        #expect(!outcome.errors.contains("root image"))
        #expect(outcome.outputLines.contains("5 " + image))
        #expect(!outcome.outputLines.contains { $0.hasPrefix("4 ") })
    }

    @Test func anArchiveBecomesAnImage() throws {
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = [
            "tar", "-C", folder.path + "/root", "-czf", folder.path + "/root.tgz", ".",
        ]
        try tar.run()
        tar.waitUntilExit()
        let outcome = try run("root.tgz", "/bin/tool", "exit", "5")
        #expect(outcome.status == 5, "\(outcome.errors)")
        #expect(try cached.count == 1)
    }

    @Test func aProgramOfTheHostIsLaidIntoTheRoot() throws {
        try folder.addProgram("mine")
        let outcome = try run("root", "./mine", "record")
        let record = try RecordFixture(bytes: outcome.bytes)
        #expect(record.texts(.programPath) == ["/mine"])
        #expect(record.numbers(.programSize) == [120])
    }

    @Test func aNameIsSearchedInTheRoot() throws {
        let outcome = try run("root", "tool", "record")
        #expect(try RecordFixture(bytes: outcome.bytes).texts(.programPath) == ["/bin/tool"])
    }

    @Test func aProgramInNeitherPlaceIsNotFound() throws {
        let outcome = try run("root", "/bin/absent")
        #expect(outcome.status == 127)
        #expect(outcome.errors.contains("neither the host nor root"))
    }

    @Test func whatIsNoRootIsRefused() throws {
        try folder.add("notes", Array("notes".utf8))
        let outcome = try run("notes", "/bin/tool")
        #expect(outcome.status == 125)
        #expect(outcome.errors.contains("a folder, a tar archive or an EROFS image"))
    }

    @Test func aMissingToolIsNamedWithItsPackage() throws {
        let outcome = try CommandFixture.run(
            ["--rootfs", "root", "/bin/tool"],
            ["XDG_CACHE_HOME": cache.path, "PATH": "/nowhere"],
            in: folder.path
        )
        guard !FileManager.default.fileExists(atPath: "/usr/sbin/mkfs.erofs") else { return }
        #expect(outcome.status == 125)
        #expect(outcome.errors.contains("apt-get install erofs-utils"))
    }

    @Test func aFailedBuildLeavesNothingBehind() throws {
        try folder.add(
            "bin/mkfs.erofs",
            Array("#!/bin/sh\necho no space >&2\nexit 1\n".utf8),
            mode: 0o755
        )
        let outcome = try CommandFixture.run(
            ["--rootfs", "root", "/bin/tool"],
            ["XDG_CACHE_HOME": cache.path, "PATH": folder.path + "/bin"],
            in: folder.path
        )
        #expect(outcome.status == 125)
        #expect(outcome.errors.contains("no space"))
        #expect(try cached.isEmpty)
    }
}
