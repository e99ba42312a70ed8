import Glibc

/// The root file system as an EROFS image: opened as it is, or made once and kept.
///
/// Made images lie in `$XDG_CACHE_HOME/unirun/roots`, named after the folder they were made from
/// and the digest of its manifest. An image is made in a work folder and renamed into place, so an
/// interrupted `unirun` leaves no half image. File times and owners are kept; the images are
/// uncompressed and without inline tails, so that the kernel maps file pages in place.
struct RootImage {
    var descriptor: Int32
    var size: UInt64

    init(_ source: RootSource, verbosity: Verbosity) throws(LaunchFailure) {
        let path =
            switch source.kind {
            case .image: source.path
            case .directory, .archive: try Self.cachedImage(of: source, verbosity)
            }
        descriptor = openFile(path, O_RDONLY)
        guard descriptor >= 0, let status = fileStatus(descriptor) else {
            throw LaunchFailure("cannot open the root image \(path): \(lastErrorText())")
        }
        size = UInt64(max(status.st_size, 0))
    }

    private static func cachedImage(
        of source: RootSource,
        _ verbosity: Verbosity
    ) throws(LaunchFailure) -> String {
        let cache = try CacheFolder.make("roots", for: "the root image")
        let manifest = try TreeManifest.digest(of: source.path)
        var origin = SHA256()
        origin.update((absolutePath(source.path) ?? source.path).utf8)
        let prefix = String(origin.hexadecimal().prefix(16)) + "-"
        let image = "\(cache)/\(prefix)\(manifest).erofs"
        if access(image, R_OK) == 0 {
            if verbosity == .verbose { reportLine("uses the root image \(image)") }
            // Its time tells when it was last used.
            utimensat(AT_FDCWD, image, nil, 0)
            return image
        }
        // Not into a file or a pipe, which hold what the program wrote.
        let isWatched = verbosity == .normal && isatty(STDERR_FILENO) == 1
        if isWatched || verbosity == .verbose {
            reportLine("makes the root image of \(source.path), once")
        }
        let maker = RootImageMaker(source: source, cache: cache, digest: manifest)
        try maker.make(image)
        removeOutdated(prefix, in: cache, except: image)
        return image
    }

    /// Images are removed beyond this number, those that were used longest ago first.
    private static let maximumImages = 32

    /// Removes images of the same folder as it was before, and the oldest of too many. A run that
    /// still uses one has it open.
    private static func removeOutdated(_ prefix: String, in cache: String, except image: String) {
        var others: [(path: String, used: timespec)] = []
        for name in folderNames(cache) where name.hasSuffix(".erofs") {
            let path = "\(cache)/\(name)"
            guard path != image, let status = fileStatus(path) else { continue }
            if name.hasPrefix(prefix) {
                unlink(path)
            } else {
                others.append((path, status.st_mtim))
            }
        }
        others.sort { ($0.used.tv_sec, $0.used.tv_nsec) > ($1.used.tv_sec, $1.used.tv_nsec) }
        for other in others.dropFirst(maximumImages - 1) { unlink(other.path) }
    }
}

/// Makes one image from a folder or an archive.
struct RootImageMaker {
    var source: RootSource
    var cache: String
    /// Hexadecimal; names the image's file system too.
    var digest: String

    func make(_ image: String) throws(LaunchFailure) {
        let maker = try HostTool.imageMaker.requirePath(for: "make the root image")
        removeAbandoned()
        // A Ctrl-C ends the tool; this process lives on to remove what the tool left.
        let mask = SignalMask.block(SignalMask.endings)
        defer { mask.restore() }
        let work = "\(cache)/work-\(getpid())"
        guard mkdir(work, 0o700) == 0 else {
            throw LaunchFailure("cannot make the folder \(work): \(lastErrorText())")
        }
        defer { FileTree.remove(work) }
        let unfinished = "\(work)/image"
        for command in try commands(maker, work: work, image: unfinished) {
            if let reason = HostTool.run(command) { throw failure(reason) }
        }
        guard rename(unfinished, image) == 0 else { throw failure(lastErrorText()) }
    }

    private func failure(_ reason: String) -> LaunchFailure {
        LaunchFailure("cannot make the root image of \(source.path): \(reason)")
    }

    private func commands(
        _ maker: String,
        work: String,
        image: String
    ) throws(LaunchFailure) -> [[String]] {
        let options = ["--quiet", "-Enoinline_data", "-x-1", "-U\(identifier)"]
        guard source.kind == .archive else { return [[maker] + options + [image, source.path]] }
        let archiver = try HostTool.archiver.requirePath(for: "unpack \(source.path)")
        let tree = "\(work)/tree"
        guard mkdir(tree, 0o755) == 0 else { throw failure(lastErrorText()) }
        let unpack = [archiver, "-xpf", source.path, "-C", tree, "--numeric-owner"]
        if geteuid() == 0 { return [unpack, [maker] + options + [image, tree]] }
        // Only root may give files away; fakeroot remembers what it was asked for, in one session.
        guard let keeper = HostTool.ownerKeeper.path() else {
            return [unpack, [maker] + options + ["--all-root", image, tree]]
        }
        let script = "\"$1\" -xpf \"$2\" -C \"$3\" --numeric-owner && shift 3 && exec \"$@\""
        let session = [keeper, "--", "/bin/sh", "-c", script, "sh", archiver, source.path, tree]
        return [session + [maker] + options + [image, tree]]
    }

    /// A version 4 UUID made of the digest.
    private var identifier: String {
        let digits = Array(digest)
        func part(_ range: Range<Int>) -> String { String(digits[range]) }
        return "\(part(0..<8))-\(part(8..<12))-4\(part(13..<16))-8\(part(17..<20))-\(part(20..<32))"
    }

    /// Work folders whose `unirun` was killed.
    private func removeAbandoned() {
        for name in folderNames(cache) where name.hasPrefix("work-") {
            guard let owner = pid_t(name.dropFirst(5)) else { continue }
            if kill(owner, 0) != 0 && errno == ESRCH { FileTree.remove("\(cache)/\(name)") }
        }
    }
}

private func folderNames(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        names.append(
            withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
        )
    }
    return names
}
