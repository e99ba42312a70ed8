import Foundation
import LinuxABI
import NineP
import Testing

@testable import FolderServer

/// A server whose client is in the hands of somebody who wants out of the folder, or the host's memory.
@Suite struct HostileClientTests {
    @Test func noNameLeadsUpOrAlongAPath() throws {
        let folder = try ServedFolder { path in
            mkdir(path + "/sub", 0o700)
            let outside = (path as NSString).deletingLastPathComponent + "/outside"
            try "secret".write(toFile: outside, atomically: false, encoding: .utf8)
        }
        let client = folder.client
        for name in [".", "..", "", "/", "sub/..", "../outside", "/etc", "a\0b"] {
            try bytes(name) { (name) throws(LinuxABI.Errno) in
                #expect(throws: LinuxABI.Errno.invalidArgument) {
                    try client.walk(folder.root, to: name)
                }
                #expect(throws: LinuxABI.Errno.invalidArgument) {
                    try client.create(name, in: folder.root, .readWrite, mode: 0o600, group: 0)
                }
                #expect(throws: LinuxABI.Errno.invalidArgument) {
                    try client.makeDirectory(name, in: folder.root, mode: 0o700, group: 0)
                }
                #expect(throws: LinuxABI.Errno.invalidArgument) {
                    try client.unlink(name, in: folder.root, isDirectory: false)
                }
                try bytes("sub") { (sub) throws(LinuxABI.Errno) in
                    #expect(throws: LinuxABI.Errno.invalidArgument) {
                        try client.rename(name, in: folder.root, to: sub, in: folder.root)
                    }
                    #expect(throws: LinuxABI.Errno.invalidArgument) {
                        try client.rename(sub, in: folder.root, to: name, in: folder.root)
                    }
                }
            }
        }
        #expect(FileManager.default.fileExists(atPath: folder.outside))
    }

    @Test func aLinkIsNeverFollowed() throws {
        let folder = try ServedFolder { path in
            let above = (path as NSString).deletingLastPathComponent
            try "secret".write(toFile: above + "/outside", atomically: false, encoding: .utf8)
            symlink("../outside", path + "/file")
            symlink("..", path + "/up")
            symlink("/", path + "/root")
        }
        let client = folder.client
        for name in ["up", "root"] {
            let link = try folder.find(name)
            #expect(try client.attributes(link).mode & S_IFMT == S_IFLNK)
            #expect(throws: LinuxABI.Errno.noSuchDeviceOrAddress) { try client.open(link, []) }
            try bytes("outside") { (inner) throws(LinuxABI.Errno) in
                #expect(throws: LinuxABI.Errno.notDirectory) { try client.walk(link, to: inner) }
                #expect(throws: LinuxABI.Errno.notDirectory) {
                    try client.create(inner, in: link, .readWrite, mode: 0o600, group: 0)
                }
            }
        }
        let link = try folder.find("file")
        #expect(throws: LinuxABI.Errno.noSuchDeviceOrAddress) { try client.open(link, []) }
        var request = AttributeRequest()
        request.size = 0
        #expect(throws: LinuxABI.Errno.invalidArgument) {
            try client.setAttributes(link, request)
        }
        request = AttributeRequest()
        request.mode = 0o777
        _ = try? client.setAttributes(link, request)
        request = AttributeRequest()
        request.modificationTime = FileTime(seconds: 1, nanoseconds: 0)
        _ = try? client.setAttributes(link, request)
        // Making the name that a link has does not write where the link leads.
        #expect(throws: LinuxABI.Errno.fileExists) { try folder.create("file") }
        var status = stat()
        #expect(stat(folder.outside, &status) == 0)
        #expect(status.st_size == 6 && status.st_mode & 0o777 != 0o777)
        #expect(status.st_mtim.tv_sec != 1)
    }

    @Test func aHardLinkToALinkIsTheLink() throws {
        let folder = try ServedFolder { path in
            let above = (path as NSString).deletingLastPathComponent
            try "secret".write(toFile: above + "/outside", atomically: false, encoding: .utf8)
            symlink("../outside", path + "/link")
        }
        let link = try folder.find("link")
        try bytes("other") { (name) throws(LinuxABI.Errno) in
            try folder.client.link(link, as: name, in: folder.root)
        }
        var status = stat()
        #expect(lstat(folder.path + "/other", &status) == 0)
        #expect(status.st_mode & S_IFMT == S_IFLNK)
        #expect(stat(folder.outside, &status) == 0 && status.st_nlink == 1)
    }

    @Test func onlyFoldersAndRegularFilesAreOpened() throws {
        let folder = try ServedFolder { path in mkfifo(path + "/pipe", 0o600) }
        let pipe = try folder.find("pipe")
        #expect(throws: LinuxABI.Errno.noSuchDeviceOrAddress) {
            try folder.client.open(pipe, [])
        }
        for kind in [S_IFCHR, S_IFBLK, S_IFSOCK, S_IFREG] {
            try bytes("node") { (name) throws(LinuxABI.Errno) in
                #expect(throws: LinuxABI.Errno.notPermitted) {
                    try folder.client.makeNode(
                        name,
                        in: folder.root,
                        mode: kind | 0o600,
                        group: 0
                    )
                }
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["pipe"])
    }

    @Test func numbersOfFilesHaveALimitAndAreGivenBack() throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let before = limit
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        defer {
            var before = before
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
        }
        let folder = try ServedFolder()
        var numbers: [UInt32] = []
        var failure: LinuxABI.Errno?
        while failure == nil, numbers.count <= FolderServer.mostFiles {
            do throws(LinuxABI.Errno) {
                numbers.append(try folder.client.duplicate(folder.root))
            } catch { failure = error }
        }
        #expect(failure == .tooManyOpenFiles)
        #expect(numbers.count < FolderServer.mostFiles)
        for number in numbers { folder.client.forget(number) }
        #expect(folder.server.fileCount == 1)
        #expect(try folder.client.duplicate(folder.root) > 0)
    }

    /// Whatever a request of each type is cut to or filled with, there is an answer that is a message,
    /// and outside of the folder nothing changes.
    @Test func anyBytesAreAnsweredOrRefused() throws {
        let folder = try ServedFolder { path in
            let above = (path as NSString).deletingLastPathComponent
            try "secret".write(toFile: above + "/outside", atomically: false, encoding: .utf8)
            try "x".write(toFile: path + "/x", atomically: false, encoding: .utf8)
        }
        var random = Generator(state: 0x9e37_79b9)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 8)
        defer { room.deallocate() }
        var answered = 0
        for _ in 0..<20_000 {
            var request: [UInt8] = [0, 0, 0, 0, random.byte(), 0, 0]
            // Small numbers are those that mean something.
            for _ in 0..<Int(random.byte() % 60) {
                request.append(random.byte() < 128 ? random.byte() % 4 : random.byte())
            }
            let size = random.byte() < 250 ? UInt32(request.count) : random.next()
            for index in 0..<4 { request[index] = UInt8(truncatingIfNeeded: size >> (8 * index)) }
            let length = request.withUnsafeBytes { folder.server.answer($0, into: room) }
            guard let length else {
                #expect(Int(size) != request.count)
                continue
            }
            answered += 1
            #expect(length >= 7 && length <= 65536)
            #expect(room.load(as: UInt32.self) == UInt32(length))
            #expect(room[4] == 7 || room[4] == request[4] &+ 1)
        }
        #expect(answered > 10_000)
        #expect(folder.server.fileCount <= FolderServer.mostFiles)
        #expect(try String(contentsOfFile: folder.outside, encoding: .utf8) == "secret")
        let above = (folder.path as NSString).deletingLastPathComponent
        #expect(
            Set(try FileManager.default.contentsOfDirectory(atPath: above)) == [
                "outside", "shared",
            ]
        )
    }

    private struct Generator {
        var state: UInt64

        mutating func next() -> UInt32 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt32(truncatingIfNeeded: state >> 33)
        }

        mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next() >> 8) }
    }
}
