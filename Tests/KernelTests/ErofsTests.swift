import FakePlatform
import Glibc
import LinuxABI
import Platform
import Testing

@testable import Kernel

/// An image that mkfs.erofs makes of a small tree.
private func makeImage(_ options: String) -> [UInt8] {
    let folder = "/tmp/unirun-erofs-\(getpid())"
    let script = """
        rm -rf \(folder) && mkdir -p \(folder)/root/sub/deep && cd \(folder)/root &&
        printf hello > hello && ln -s sub/deep link && ln hello sub/second &&
        i=0; while [ $i -lt 300 ]; do echo line $i > sub/file$i; i=$((i+1)); done
        seq 1 20000 > sub/deep/numbers && mkfs.erofs \(options) \(folder)/image . >/dev/null 2>&1
        """
    guard system(script) == 0, let file = fopen("\(folder)/image", "r") else { return [] }
    defer {
        fclose(file)
        _ = system("rm -rf \(folder)")
    }
    var bytes = [UInt8](repeating: 0, count: 4 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes[..<count])
}

private func withImage(_ image: [UInt8], _ body: (Kernel.Process) throws -> Void) throws {
    try withFiles { settings in
        FakePlatform.images[PLATFORM_IMAGE_ROOT.rawValue] = FakeImage(image)
        settings.rootImageSize = image.count
    } _: {
        try body($0)
    }
}

private func walkAll(_ directory: Dentry, depth: Int = 0) -> Int {
    guard depth < 8, let inode = directory.inode else { return 0 }
    var found = 0
    var position: UInt64 = 2
    while let entry = try? inode.nextEntry(&position, in: directory), found < 5000 {
        found += 1
        guard let child = entry.keeper, let inode = child.inode else { continue }
        var buffer = [UInt8](repeating: 0, count: 5000)
        _ = try? buffer.withUnsafeMutableBytes { bytes in try inode.read(at: 0, into: bytes) }
        if inode.mode.isDirectory { found += walkAll(child, depth: depth + 1) }
    }
    return found
}

@Suite(.serialized) struct ErofsTests {
    @Test(arguments: ["-Enoinline_data", "", "--chunksize=4096"])
    func anImageIsReadAndWrittenOver(_ options: String) throws {
        let image = makeImage(options)
        try #require(!image.isEmpty)
        try withImage(image) { process in
            #expect(try read(open("/hello")) == Array("hello".utf8))
            #expect(try read(open("/sub/second")) == Array("hello".utf8))
            var numbers = ""
            for number in 1...20000 { numbers += "\(number)\n" }
            #expect(try read(open("/link/numbers"), 200_000) == Array(numbers.utf8))
            #expect(try read(open("/sub/file299")) == Array("line 299\n".utf8))
            #expect(fails(.noSuchFileOrDirectory) { _ = try open("/sub/file300") })
            let file = try open("/hello", .readWrite)
            _ = try write(file, Array("J".utf8))
            #expect(try read(open("/sub/second")) == Array("Jello".utf8))
            try "/sub/file0".path { try VFS.unlink($0, process) }
            #expect(fails(.noSuchFileOrDirectory) { _ = try open("/sub/file0") })
            let directory = try "/sub".path { try VFS.resolve($0, process) }
            // 299 files, `deep` and `second`.
            var position: UInt64 = 2
            var found = 0
            while try directory.inode!.nextEntry(&position, in: directory) != nil { found += 1 }
            #expect(found == 301)
            try "/sub".path { old in try "/moved".path { try VFS.rename(old, $0, process, []) } }
            #expect(try read(open("/moved/file7")) == Array("line 7\n".utf8))
        }
    }

    @Test func aCorruptImageIsAnErrorAndNeverATrap() throws {
        let image = makeImage("-Enoinline_data")
        try #require(!image.isEmpty)
        var seed: UInt64 = 42
        func random() -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33)
        }
        for round in 0..<60 {
            var bad = image
            for _ in 0..<(1 + round) {
                let span = round % 2 == 0 ? min(bad.count, 32 << 10) : bad.count
                bad[random() % span] = UInt8(truncatingIfNeeded: random())
            }
            if round % 7 == 0 { bad.removeLast(random() % bad.count) }
            try? withImage(bad) { process in _ = walkAll(process.paths.root) }
        }
    }
}
