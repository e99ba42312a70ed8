import Kernel
import LinuxABI

private let workingDirectory = UInt(bitPattern: Int(PathFlags.workingDirectory))

/// Calls `body` with an attribute's name. Throws `outOfRange` for one that is empty or too long.
private func withName<Result>(
    _ address: UInt,
    _ body: (UnsafeRawBufferPointer) throws(Errno) -> Result
) throws(Errno) -> Result {
    var storage = InlineArray<256, UInt8>(repeating: 0)
    return try withUnsafeMutableBytes(of: &storage) { (bytes) throws(Errno) in
        let count = try UserMemory.readString(at: address, into: bytes, tooLong: .outOfRange)
        guard count > 0 else { throw .outOfRange }
        return try body(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }
}

/// Whose attributes a call is about: a path, or a descriptor.
private enum Target {
    case path(UInt, follow: Bool)
    case descriptor(UInt)

    func owner(_ process: Process) throws(Errno) -> VFS.AttributeOwner {
        switch self {
        case .path(let path, let follow):
            return try withUserPath(path) { (path) throws(Errno) in
                try VFS.AttributeOwner(VFS.Place(path), process, follow: follow)
            }
        case .descriptor(let descriptor):
            return try VFS.AttributeOwner(FileDescriptor(descriptor), process)
        }
    }
}

private func set(_ target: Target, _ name: UInt, _ value: UInt, _ size: UInt, _ flags: UInt) -> Int
{
    answer { (thread) throws(Errno) in
        guard flags.low & ~3 == 0 else { throw .invalidArgument }
        return try withName(name) { (name) throws(Errno) in
            guard size <= UInt(VFS.largestAttribute) else { throw .argumentListTooLong }
            let copy = try KernelBuffer(Int(size))
            try UserMemory.read(copy.bytes, at: value)
            try VFS.setAttribute(
                of: try target.owner(thread.process),
                thread.process,
                name,
                copy.bytes,
                VFS.AttributeFlags(rawValue: flags.low)
            )
            return 0
        }
    }
}

private func get(_ target: Target, _ name: UInt, _ buffer: UInt, _ size: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try withName(name) { (name) throws(Errno) in
            let owner = try target.owner(thread.process)
            var count = 0
            try VFS.withAttribute(of: owner, thread.process, name) { (value) throws(Errno) in
                count = value.count
                guard size > 0 else { return }
                guard size >= UInt(count) else { throw .outOfRange }
                try UserMemory.write(value, at: buffer)
            }
            return count
        }
    }
}

private func list(_ target: Target, _ buffer: UInt, _ size: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let owner = try target.owner(thread.process)
        var total = 0
        VFS.forEachAttribute(of: owner, thread.process) { total += $0.count + 1 }
        guard size > 0 else { return total }
        let most = VFS.largestAttributeList
        guard UInt(total) <= min(size, UInt(most)) else {
            throw size >= UInt(most) ? .argumentListTooLong : .outOfRange
        }
        let text = try KernelBuffer(total)
        var position = 0
        VFS.forEachAttribute(of: owner, thread.process) { name in
            UnsafeMutableRawBufferPointer(rebasing: text.bytes[position...]).copyMemory(from: name)
            text.bytes[position + name.count] = 0
            position += name.count + 1
        }
        try UserMemory.write(UnsafeRawBufferPointer(text.bytes), at: buffer)
        return total
    }
}

private func remove(_ target: Target, _ name: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try withName(name) { (name) throws(Errno) in
            let owner = try target.owner(thread.process)
            try VFS.removeAttribute(of: owner, thread.process, name)
            return 0
        }
    }
}

/// setxattr(2)
func sysSetAttribute(
    _ path: UInt,
    _ name: UInt,
    _ value: UInt,
    _ size: UInt,
    _ flags: UInt,
    _: UInt
) -> Int {
    set(.path(path, follow: true), name, value, size, flags)
}

/// lsetxattr(2)
func sysSetLinkAttribute(
    _ path: UInt,
    _ name: UInt,
    _ value: UInt,
    _ size: UInt,
    _ flags: UInt,
    _: UInt
) -> Int {
    set(.path(path, follow: false), name, value, size, flags)
}

/// fsetxattr(2)
func sysSetAttributeOf(
    _ descriptor: UInt,
    _ name: UInt,
    _ value: UInt,
    _ size: UInt,
    _ flags: UInt,
    _: UInt
) -> Int {
    set(.descriptor(descriptor), name, value, size, flags)
}

/// getxattr(2)
func sysGetAttribute(_ path: UInt, _ name: UInt, _ buffer: UInt, _ size: UInt, _: UInt, _: UInt)
    -> Int
{
    get(.path(path, follow: true), name, buffer, size)
}

/// lgetxattr(2)
func sysGetLinkAttribute(
    _ path: UInt,
    _ name: UInt,
    _ buffer: UInt,
    _ size: UInt,
    _: UInt,
    _: UInt
) -> Int {
    get(.path(path, follow: false), name, buffer, size)
}

/// fgetxattr(2)
func sysGetAttributeOf(
    _ descriptor: UInt,
    _ name: UInt,
    _ buffer: UInt,
    _ size: UInt,
    _: UInt,
    _: UInt
) -> Int {
    get(.descriptor(descriptor), name, buffer, size)
}

/// listxattr(2)
func sysListAttributes(_ path: UInt, _ buffer: UInt, _ size: UInt, _: UInt, _: UInt, _: UInt) -> Int
{
    list(.path(path, follow: true), buffer, size)
}

/// llistxattr(2)
func sysListLinkAttributes(_ path: UInt, _ buffer: UInt, _ size: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    list(.path(path, follow: false), buffer, size)
}

/// flistxattr(2)
func sysListAttributesOf(
    _ descriptor: UInt,
    _ buffer: UInt,
    _ size: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    list(.descriptor(descriptor), buffer, size)
}

/// removexattr(2)
func sysRemoveAttribute(_ path: UInt, _ name: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    remove(.path(path, follow: true), name)
}

/// lremovexattr(2)
func sysRemoveLinkAttribute(_ path: UInt, _ name: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    remove(.path(path, follow: false), name)
}

/// fremovexattr(2)
func sysRemoveAttributeOf(_ descriptor: UInt, _ name: UInt, _: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    remove(.descriptor(descriptor), name)
}

/// Extended attributes: xattr(7).
let extendedAttributeRows: InlineArray<_, Row> = [
    Row(188, "setxattr", sysSetAttribute, .full, .path, .string, .input, .size, .attributeFlags),
    Row(
        189,
        "lsetxattr",
        sysSetLinkAttribute,
        .full,
        .path,
        .string,
        .input,
        .size,
        .attributeFlags
    ),
    Row(
        190,
        "fsetxattr",
        sysSetAttributeOf,
        .full,
        .descriptor,
        .string,
        .input,
        .size,
        .attributeFlags
    ),
    Row(191, "getxattr", sysGetAttribute, .full, .path, .string, .output, .size),
    Row(192, "lgetxattr", sysGetLinkAttribute, .full, .path, .string, .output, .size),
    Row(193, "fgetxattr", sysGetAttributeOf, .full, .descriptor, .string, .output, .size),
    Row(194, "listxattr", sysListAttributes, .full, .path, .output, .size),
    Row(195, "llistxattr", sysListLinkAttributes, .full, .path, .output, .size),
    Row(196, "flistxattr", sysListAttributesOf, .full, .descriptor, .output, .size),
    Row(197, "removexattr", sysRemoveAttribute, .full, .path, .string),
    Row(198, "lremovexattr", sysRemoveLinkAttribute, .full, .path, .string),
    Row(199, "fremovexattr", sysRemoveAttributeOf, .full, .descriptor, .string),
]
