import LinuxABI
import Platform

/// An image of the platform's: the program's file, or the root file system's.
struct Image {
    let number: UInt32

    static var program: Image { Image(number: PLATFORM_IMAGE_PROGRAM.rawValue) }
    static var root: Image { Image(number: PLATFORM_IMAGE_ROOT.rawValue) }

    /// Fills a buffer. Throws `inputOutputError` when the image ends before.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) {
        var done = 0
        while done < buffer.count {
            let answer = machine.pointee.read_image(
                number,
                offset &+ UInt64(done),
                buffer.baseAddress! + done,
                UInt64(buffer.count - done)
            )
            guard answer > 0, answer <= Int64(buffer.count - done) else {
                throw .inputOutputError
            }
            done += Int(answer)
        }
    }
}

/// An image as a file: what it holds from its first byte.
final class ImageFile: LowerFile {
    private let source: Image
    private let length: Int

    init(_ source: Image, _ length: Int) {
        self.source = source
        self.length = max(length, 0)
    }

    override var size: Int { length }

    override func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) {
        try source.read(at: UInt64(offset), into: buffer)
    }

    override func image(at offset: Int, count: Int) -> (image: UInt32, offset: UInt64)? {
        (source.number, UInt64(offset))
    }
}
