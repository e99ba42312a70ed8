import LinuxABI

/// Where a process's paths begin: its root and working directory; and its umask.
public final class PathContext {
    public internal(set) var root: Dentry! = nil
    public internal(set) var workingDirectory: Dentry! = nil
    public var creationMask: UInt32 = 0o022

    public init() {}

    /// A context of its own, for a child or unshare(CLONE_FS).
    public func duplicate() -> PathContext {
        let copy = PathContext()
        copy.root = root
        copy.workingDirectory = workingDirectory
        copy.creationMask = creationMask
        return copy
    }
}

/// Memory for paths while they are walked. A walk never waits, so one set serves everybody.
enum PathBuffers {
    /// PATH_MAX
    static let size = 4096
    nonisolated(unsafe) private static var memory: UnsafeMutableRawPointer! = nil
    nonisolated(unsafe) private static var depth = 0

    /// Two for the paths of a call, two for the links that are followed in turn.
    static func start() {
        if memory == nil { memory = .allocate(byteCount: size * 6, alignment: 16) }
        depth = 0
    }

    /// Calls `body` with a path of the program. Throws `nameTooLong`, `badAddress`.
    @inline(__always)
    static func withPath<Result>(
        _ address: UInt,
        _ body: (UnsafeRawBufferPointer) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        let buffer = UnsafeMutableRawBufferPointer(start: memory + depth &* size, count: size)
        let count = try UserMemory.readString(at: address, into: buffer)
        depth &+= 1
        defer { depth &-= 1 }
        return try body(UnsafeRawBufferPointer(start: buffer.baseAddress, count: count))
    }

    /// Room for a path with a link's target in it; twice PATH_MAX, since a rest follows it.
    static func link(_ turn: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            start: memory + (2 + turn % 2 * 2) * size,
            count: 2 * size
        )
    }
}

/// Lends a path of the program to `body`; for handlers.
@inline(__always)
public func withUserPath<Result>(
    _ address: UInt,
    _ body: (UnsafeRawBufferPointer) throws(Errno) -> Result
) throws(Errno) -> Result {
    try PathBuffers.withPath(address, body)
}
