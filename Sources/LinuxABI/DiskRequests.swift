/// The requests of ioctl(2) for disks: linux/fs.h and linux/hdreg.h.
extension ControlRequest {
    /// HDIO_GETGEO
    public static let diskGeometry: UInt32 = 0x301
    /// BLKROGET
    public static let diskReadOnly: UInt32 = 0x125e
    /// BLKGETSIZE
    public static let diskSectors: UInt32 = 0x1260
    /// BLKFLSBUF
    public static let diskFlush: UInt32 = 0x1261
    /// BLKRAGET
    public static let diskReadAhead: UInt32 = 0x1263
    /// BLKFRAGET
    public static let diskFileReadAhead: UInt32 = 0x1265
    /// BLKSECTGET
    public static let diskLargestTransfer: UInt32 = 0x1267
    /// BLKSSZGET
    public static let diskSectorSize: UInt32 = 0x1268
    /// BLKDISCARD
    public static let diskDiscard: UInt32 = 0x1277
    /// BLKIOMIN
    public static let diskLeastTransfer: UInt32 = 0x1278
    /// BLKIOOPT
    public static let diskBestTransfer: UInt32 = 0x1279
    /// BLKALIGNOFF
    public static let diskAlignment: UInt32 = 0x127a
    /// BLKPBSZGET
    public static let diskPhysicalSize: UInt32 = 0x127b
    /// BLKDISCARDZEROES
    public static let diskDiscardZeroes: UInt32 = 0x127c
    /// BLKROTATIONAL
    public static let diskRotates: UInt32 = 0x127e
    /// BLKZEROOUT
    public static let diskZero: UInt32 = 0x127f
    /// BLKBSZGET
    public static let diskBlockSize: UInt32 = 0x8008_1270
    /// BLKGETSIZE64
    public static let diskSize: UInt32 = 0x8008_1272
    /// BLKGETDISKSEQ
    public static let diskSequence: UInt32 = 0x8008_1280
}
