import FakePlatform
import Glibc
import LinuxABI
import Platform
import Testing

@testable import Kernel

/// The C library's, which its Swift module does not show.
@_silgen_name("setxattr")
private func setAttribute(
    _ path: UnsafePointer<CChar>,
    _ name: UnsafePointer<CChar>,
    _ value: UnsafePointer<CChar>,
    _ size: Int,
    _ flags: CInt
) -> CInt

/// An image that mkfs.erofs makes of a small tree.
private func makeImage(_ options: String, attributes: Bool = false) -> [UInt8] {
    let folder = "/tmp/unirun-erofs-\(getpid())"
    let options = attributes ? options : options + " -x-1"
    let script = """
        rm -rf \(folder) && mkdir -p \(folder)/root/sub/deep && cd \(folder)/root &&
        printf hello > hello && ln -s sub/deep link && ln hello sub/second &&
        i=0; while [ $i -lt 300 ]; do echo line $i > sub/file$i; i=$((i+1)); done
        seq 1 20000 > sub/deep/numbers
        """
    guard system(script) == 0 else { return [] }
    if attributes {
        for name in ["hello", "sub"] {
            _ = setAttribute("\(folder)/root/\(name)", "user.one", "first", 5, 0)
        }
        let long = String(repeating: "x", count: 2000)
        _ = setAttribute("\(folder)/root/hello", "user.long", long, 2000, 0)
    }
    let maker = "cd \(folder)/root && mkfs.erofs \(options) \(folder)/image . >/dev/null 2>&1"
    guard system(maker) == 0, let file = fopen("\(folder)/image", "r") else { return [] }
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

private func attribute(_ name: StaticString, of path: String, _ process: Kernel.Process) throws
    -> [UInt8]
{
    let name = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    var found: [UInt8] = []
    try path.path { place in
        let owner = try VFS.AttributeOwner(place, process, follow: true)
        try VFS.withAttribute(of: owner, process, name) { found = Array($0) }
    }
    return found
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

    /// With `-x1` what several files have lies once, apart from their inodes.
    @Test(arguments: ["-Enoinline_data", "-x1"])
    func anImageHoldsExtendedAttributes(_ options: String) throws {
        let image = makeImage(options, attributes: true)
        try #require(!image.isEmpty)
        try withImage(image) { process in
            let first = Array("first".utf8)
            let ofFile = try attribute("user.one", of: "/hello", process)
            let ofFolder = try attribute("user.one", of: "/sub", process)
            let long = try attribute("user.long", of: "/sub/second", process)
            #expect(ofFile == first)
            #expect(ofFolder == first)
            #expect(long == [UInt8](repeating: 0x78, count: 2000))
            #expect(fails(.noData) { _ = try attribute("user.two", of: "/hello", process) })
            #expect(fails(.noData) { _ = try attribute("user.one", of: "/sub/file7", process) })
        }
    }

    @Test(arguments: [false, true])
    func aCorruptImageIsAnErrorAndNeverATrap(withAttributes: Bool) throws {
        let image = makeImage("-Enoinline_data", attributes: withAttributes)
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
