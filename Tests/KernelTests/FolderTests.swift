import FakePlatform
import Foundation
import Glibc
import LinuxABI
import Testing

@testable import FolderServer
@testable import Kernel

/// A folder of the host as a file system of the kernel's.
@Suite(.serialized) struct FolderTests {
    /// A folder, its server, and what is done to the server's answers.
    private final class Served {
        let path: String
        let server: FolderServer
        /// Changes an answer, or loses it.
        var spoil: ([UInt8]) -> [UInt8]? = { $0 }
        private let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: FolderServer.largestMessage,
            alignment: 8
        )

        init() throws {
            let pattern = FileManager.default.temporaryDirectory.path + "/folder-XXXXXX"
            var template = pattern.utf8CString.map { $0 }
            path = String(cString: mkdtemp(&template))
            let folder = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            try #require(folder >= 0)
            server = FolderServer(folder: folder, isReadOnly: false)
        }

        deinit {
            room.deallocate()
            try? FileManager.default.removeItem(atPath: path)
        }

        func answer(_ request: [UInt8]) -> [UInt8]? {
            let length = request.withUnsafeBytes { server.answer($0, into: room) }
            return length.flatMap { spoil(Array(room[..<$0])) }
        }

        func contents(_ name: String) throws -> String {
            try String(contentsOfFile: path + "/" + name, encoding: .utf8)
        }

        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
        }
    }

    /// Runs `body` with a folder mounted at /data.
    private func withFolder(
        isReadOnly: Bool = false,
        _ body: (Served, Kernel.Process) throws -> Void
    ) throws {
        let served = try Served()
        try withFiles { settings in
            FakePlatform.fileServers = [served.answer]
            settings.volumes = [VolumeMount(path: Array("/data".utf8), isReadOnly: isReadOnly)]
        } _: { process in
            try body(served, process)
            served.spoil = { $0 }
            process.descriptors = nil
            process.paths = nil
            VFS.stop()
            // The server keeps nothing for who is gone.
            #expect(served.server.fileCount == 0)
        }
    }

    @Test func contentsGoThroughToTheHost() throws {
        try withFolder { served, process in
            let file = try open("/data/new", [.create, .readWrite], mode: 0o640)
            // Longer than one message.
            let text = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3 & 0x3f + 0x20) }
            #expect(try write(file, text) == text.count)
            #expect(try served.contents("new") == String(decoding: text, as: UTF8.self))
            _ = try file.seek(0, .start)
            #expect(try read(file, 30_000) == text)
            #expect(try status("/data/new", process).size == 20_000)
            try served.write("short", "new")
            #expect(try file.status().size == 5)
            #expect(try file.seek(0, .end) == 5)
            try file.truncate(to: 2)
            try file.synchronize()
            #expect(try served.contents("new") == "sh")
        }
    }

    @Test func oneFileIsOneInodeWhicheverWayLeadsThere() throws {
        try withFolder { served, process in
            try served.write("x", "a")
            link(served.path + "/a", served.path + "/b")
            let first = try open("/data/a")
            #expect(try open("/data/b").inode === first.inode)
            #expect(try open("/data/a").inode === first.inode)
            let before = try first.status()
            #expect(before.links == 2)
            // Another file under the same name is another inode.
            usleep(60_000)
            try served.write("other", "c")
            rename(served.path + "/c", served.path + "/a")
            let second = try open("/data/a")
            #expect(second.inode !== first.inode)
            #expect(try read(second) == Array("other".utf8))
            #expect(try read(first) == Array("x".utf8))
            unlink(served.path + "/a")
            #expect(fails(.noSuchFileOrDirectory) { _ = try open("/data/a") })
        }
    }

    @Test func namesAreNotKeptForEver() throws {
        try withFolder { served, process in
            for number in 0..<4000 { try served.write("", "name-\(number)") }
            let kept = try open("/data/name-0")
            for number in 0..<4000 { _ = try status("/data/name-\(number)", process) }
            #expect(served.server.fileCount < 2500)
            #expect(try open("/data/name-0").inode === kept.inode)
        }
    }

    @Test func aFolderThatMayOnlyBeReadIsNotWritten() throws {
        try withFolder(isReadOnly: true) { served, process in
            try served.write("x", "a")
            #expect(fails(.readOnlyFileSystem) { _ = try open("/data/a", .readWrite) })
            #expect(fails(.readOnlyFileSystem) { _ = try open("/data/b", [.create, .readWrite]) })
            #expect(
                fails(.readOnlyFileSystem) { try "/data/a".path { try VFS.unlink($0, process) } }
            )
            #expect(try read(try open("/data/a")) == Array("x".utf8))
        }
    }

    /// What a lying server says is an error, or taken for what it could be: never a fault of the kernel's.
    @Test(arguments: 1...40)
    func aServerThatLiesIsSurvived(seed: Int) throws {
        try withFolder { served, process in
            try served.write("some text", "file")
            mkdir(served.path + "/sub", 0o755)
            symlink("file", served.path + "/link")
            var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15
            func random(_ bound: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(state >> 33) % bound
            }
            served.spoil = { answer in
                var answer = answer
                switch random(6) {
                case 0: return Array(answer.prefix(7 + random(max(1, answer.count - 6))))
                case 1: return random(4) == 0 ? nil : answer
                case 2, 3:
                    guard answer.count > 7 else { return answer }
                    for _ in 0...random(4) {
                        answer[7 + random(answer.count - 7)] = UInt8(random(256))
                    }
                    return answer
                default: return answer
                }
            }
            for turn in 0..<60 {
                let name = ["file", "sub", "link", "new\(turn % 5)", "sub/x"][random(5)]
                if let file = try? open("/data/" + name, random(2) == 0 ? [] : .readWrite) {
                    _ = try? read(file, 100)
                    _ = try? write(file, Array("more".utf8))
                    _ = try? file.seek(0, .end)
                    if let directory = file.inode as? NinePDirectory {
                        var position: UInt64 = 2
                        for _ in 0..<20 {
                            _ = try? directory.nextEntry(&position, in: file.dentry!)
                        }
                    }
                    if let mappable = file.mappable {
                        _ = try? mappable.mappedPages(at: 0, limit: 4, allocating: true)
                    }
                }
                _ = try? open("/data/" + name, [.create, .readWrite])
                _ = try? status("/data/" + name, process)
                if random(4) == 0 { try? ("/data/" + name).path { try VFS.unlink($0, process) } }
                if random(4) == 0 {
                    try? ("/data/" + name).path { old in
                        try "/data/sub/moved".path { try VFS.rename(old, $0, process, []) }
                    }
                }
            }
        }
    }
}
