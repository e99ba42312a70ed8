import Glibc
import Platform

/// What servers and kernel share: a request and an answer.
private enum MessageMemory {
    static let size = 8192
    nonisolated(unsafe) static let request = UnsafeMutableRawPointer.allocate(
        byteCount: size,
        alignment: 8
    )
    nonisolated(unsafe) static let answer = UnsafeMutableRawPointer.allocate(
        byteCount: size,
        alignment: 8
    )
    nonisolated(unsafe) static let name = UnsafeMutablePointer<UInt8>.allocate(capacity: 8)
}

func fakeFilesDescribe(
    _ number: UInt32,
    _ description: UnsafeMutablePointer<platform_file_server>
) -> Int64 {
    guard Int(number) < FakePlatform.fileServers.count else { return Int64(-ENODEV) }
    let name = "volume\(number)"
    precondition(name.utf8.count <= 8)
    for (index, byte) in name.utf8.enumerated() { MessageMemory.name[index] = byte }
    description.pointee = platform_file_server(
        name: UnsafePointer(MessageMemory.name),
        name_length: UInt64(name.utf8.count),
        request: MessageMemory.request,
        message_limit: UInt64(MessageMemory.size)
    )
    return 0
}

func fakeFilesAsk(_ number: UInt32, _ answer: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int64 {
    guard Int(number) < FakePlatform.fileServers.count else { return Int64(-ENODEV) }
    let size = Int(MessageMemory.request.loadUnaligned(as: UInt32.self))
    precondition(size >= 7 && size <= MessageMemory.size)
    let request = Array(UnsafeRawBufferPointer(start: MessageMemory.request, count: size))
    guard let told = FakePlatform.fileServers[Int(number)](request) else { return Int64(-EIO) }
    // What was lent before is gone.
    memset(MessageMemory.answer, 0x5a, MessageMemory.size)
    told.withUnsafeBytes {
        MessageMemory.answer.copyMemory(from: $0.baseAddress!, byteCount: $0.count)
    }
    answer.pointee = UnsafeRawPointer(MessageMemory.answer)
    return Int64(told.count)
}
